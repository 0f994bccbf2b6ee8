"""The load engine: a profile becomes a plan, the plan becomes samples, samples become numbers with their error.

`profile` -> `plan` -> `schedule` are values; `crew` sends (it alone imports gevent, in a child process);
`sample`, `statistics`, `summary`, `threshold`, `validity` turn what was seen into what is told.
"""

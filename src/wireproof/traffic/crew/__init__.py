"""What sends: sockets with kernel time, one request, the pacer. Imports gevent; only `load/locustfile.py` imports it.

`import locust` patches the whole process, so all of this lives in a child process.
"""

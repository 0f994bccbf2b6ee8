"""/v1/responses: what was asked (`items`, `parts`, `asked`, `compaction`), what it may be asked of (`models`,
`moderated`), with which tools (`tools`, `hosted`, `mcp`), what is answered (`answered`, `create`) and told as events
(`telling`, `timeline`, `socket`), and what is kept of it (`kept`, `counted`).
"""

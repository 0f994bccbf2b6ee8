"""/v1/responses: what was asked (`items`, `asked`), with which tools (`tools`, `hosted`, `mcp`), what is answered
(`answered`) and told as events (`telling`, `timeline`), and what is kept of it (`kept`, `counted`).
"""

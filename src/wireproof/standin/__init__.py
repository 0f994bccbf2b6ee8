"""The stand-in: a reference backend that is right on purpose, and wrong on request.

`wire` (values) <- `faults` (named departures from the contract, a layer apart) and the handlers
<- `app` (sockets). Handlers never know that faults exist.
"""

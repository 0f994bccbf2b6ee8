"""Realtime without a socket: sessions that hear events and say events, by a clock that is an argument."""

"""Pictures, sound and films that ordinary programs open, drawn from nothing but their prompt.

Pillow and PyAV are imported where they are first needed: a server that is never asked for media never loads them.
"""

"""The Assistants API: assistants, threads with their messages, and runs, step by step."""

"""Candidates and their evidence -> the project folder, the report, and the chat answer."""

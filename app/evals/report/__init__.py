"""Renderings of the report's sections: Markdown, and one HTML file."""

"""Files that people hand over: text, tables, workbooks, YAML. Every problem tells its place."""

"""The dock "Workflow"."""

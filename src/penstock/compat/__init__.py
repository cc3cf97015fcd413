"""`import kfp` resolved to Penstock's rooms, for files that were written for Kubeflow Pipelines.

Nothing of it is imported, and nothing in the process is changed, before somebody asks for it.
"""

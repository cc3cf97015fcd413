"""Steps as processes of this machine: fork server, supervisor, private roots, image rules, step environments.

The modules `zygote`, `supervisor`, `kernel`, `roots`, `crilog` and `program` run in the fork server and in every
supervisor: standard library only, and as little of it as can be. The others run in the server.
"""

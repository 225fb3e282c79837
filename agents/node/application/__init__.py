"""What the first bytes of connections say of applications: HTTP/1, HTTP/2 and gRPC heads, ClientHellos, SSH.

Packets in, rows of L7Exchange out; no input or output is done here.
"""

"""The kernel's socket diagnosis (sock_diag): questions, answers, closing sockets."""

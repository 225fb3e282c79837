"""A real gRPC server and client: ``python -m tests.kernel.agent.grpc_call serve|call ADDRESS``; it calls thrice."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

METHOD = "/shop.v1.Payment/Charge"
CALLS = 3


class _Payment(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if handler_call_details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: request)


def serve(address: str) -> None:
    server = grpc.server(ThreadPoolExecutor(2), handlers=(_Payment(),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def call(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        charge = channel.unary_unary(METHOD)
        for turn in range(CALLS):
            sent = f"charge {turn}".encode()
            assert charge(sent, timeout=10, wait_for_ready=True) == sent


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](sys.argv[2])

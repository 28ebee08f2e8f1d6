"""A TCP proxy that can vanish as a machine does that loses its power: nothing that is sent to it is acknowledged any more.

Takes the port of the server, prints its own, and then obeys the lines of its standard input, each of which it answers:
`vanish`: it and its connections vanish. `return`: it takes new connections; those that it had stay as they are.
"""

import ctypes
import select
import socket
import struct
import sys
import threading

# Linux's numbers.
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
# BPF_RET with 0: drop the packet.
DROP = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))

gone = set()
clients = set()


def drop_all(one):
    program = struct.pack("HP", 1, ctypes.addressof(DROP))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def serve(client, port):
    try:
        with socket.create_connection(("127.0.0.1", port)) as server:
            other = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if client in gone:
                        return
                    if not data:
                        client.close()
                        return
                    other[ready].sendall(data)
    except OSError:
        pass


def accept(listener, port):
    while True:
        client, _ = listener.accept()
        clients.add(client)
        threading.Thread(target=serve, args=(client, port), daemon=True).start()


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, int(sys.argv[1])), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        if line.strip() == "vanish":
            drop_all(listener)
            for client in clients:
                gone.add(client)
                if client.fileno() != -1:
                    drop_all(client)
        else:
            listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        print("done", flush=True)


main()

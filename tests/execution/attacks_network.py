"""Attacks over the network and over the sockets of this machine; the decoy servers count who came."""

from tests.execution.attacks import Attack

STREAMS = """
import socket

def connect(family, kind, protocol, address):
    with socket.socket(family, kind, protocol) as one:
        one.settimeout(2)
        one.connect(address)

def listen(family, host):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.bind((host, 0))
        one.listen()

def fast_open():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(2)
        one.sendto(b"x", 0x20000000, ("127.0.0.1", TARGET["tcp"]))  # MSG_FASTOPEN connects without connect()

def raw():
    descriptor = syscall("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    address = bytes([2, 0]) + TARGET["tcp"].to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    called(LIBC.connect(descriptor, address, 16))

MPTCP, SCTP, SMC = 262, 132, 43
attempt(
    tcp=lambda: connect(socket.AF_INET, socket.SOCK_STREAM, 0, ("127.0.0.1", TARGET["tcp"])),
    tcp6=lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, 0, ("::1", TARGET["tcp6"])),
    mapped=lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, 0, ("::ffff:127.0.0.1", TARGET["tcp"])),
    mptcp=lambda: connect(socket.AF_INET, socket.SOCK_STREAM, MPTCP, ("127.0.0.1", TARGET["tcp"])),
    sctp=lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP).close(),
    smc=lambda: socket.socket(SMC, socket.SOCK_STREAM, 0).close(),
    fast_open=fast_open,
    by_number=raw,
    listen=lambda: listen(socket.AF_INET, "127.0.0.1"),
    listen6=lambda: listen(socket.AF_INET6, "::1"),
)
"""

DATAGRAMS = """
import socket

def send(family, host, port, protocol=0):
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as one:
        one.sendto(b"question", (host, port))

def broadcast():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        one.sendto(b"question", ("127.255.255.255", TARGET["udp"]))

def connected():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("127.0.0.1", TARGET["udp"]))
        one.send(b"question")

def message():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendmsg([b"question"], [], 0, ("127.0.0.1", TARGET["udp"]))

def name_server():
    "A name asked for over UDP, as the resolver of the C library does; the answer does not matter."
    query = b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\7example\\0\\0\\1\\0\\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(query, ("127.0.0.1", TARGET["udp"]))

attempt(
    send=lambda: send(socket.AF_INET, "127.0.0.1", TARGET["udp"]),
    send6=lambda: send(socket.AF_INET6, "::ffff:127.0.0.1", TARGET["udp"]),
    broadcast=broadcast,
    connected=connected,
    message=message,
    name_server=name_server,
    light=lambda: send(socket.AF_INET, "127.0.0.1", TARGET["udp"], 136),
    ping=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close(),
)
"""

# A pair of sockets is allowed. One for datagrams sends anywhere: an address given to sendto() goes before the peer.
LOCAL = """
import glob, socket

def connect(kind, address):
    with socket.socket(socket.AF_UNIX, kind) as one:
        one.connect(address)
        if kind == socket.SOCK_DGRAM:
            one.send(b"x")

def through_pair(address, send, kind=socket.SOCK_DGRAM):
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    with one, other:
        send(one, address)

def to(one, address):
    one.sendto(b"x", address)

def message(one, address):
    one.sendmsg([b"x"], [], 0, address)

def again(one, address):
    one.connect(address)
    one.send(b"x")

def bind(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.bind(address)

def bind_pair(address):
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.bind(address)

stream, datagram = TARGET["stream"], TARGET["datagram"]
hidden, hidden_datagram = "\\0" + TARGET["hidden"], "\\0" + TARGET["hidden_datagram"]
known = [path for path in glob.glob("/run/**/*sock*", recursive=True) + ["/run/docker.sock"]][:5]
attempt(
    path=lambda: connect(socket.SOCK_STREAM, stream),
    path_datagram=lambda: connect(socket.SOCK_DGRAM, datagram),
    hidden=lambda: connect(socket.SOCK_STREAM, hidden),
    hidden_datagram=lambda: connect(socket.SOCK_DGRAM, hidden_datagram),
    pair_sent=lambda: through_pair(datagram, to),
    pair_message=lambda: through_pair(datagram, message),
    pair_connected=lambda: through_pair(datagram, again),
    pair_hidden=lambda: through_pair(hidden_datagram, to),
    pair_hidden_message=lambda: through_pair(hidden_datagram, message),
    pair_raw=lambda: through_pair(datagram, to, socket.SOCK_RAW),
    bind=lambda: bind(TARGET["folder"] + "/bound"),
    bind_here=lambda: bind("bound"),
    bind_hidden=lambda: bind("\\0" + TARGET["name"]),
    bind_pair=lambda: bind_pair("\\0" + TARGET["name"]),
    **{path: lambda path=path: connect(socket.SOCK_STREAM, path) for path in known},
)
"""

OTHER = """
import socket, struct

def opened(family, kind=socket.SOCK_RAW, protocol=0):
    socket.socket(family, kind, protocol).close()

def pair(family, kind, protocol):
    os.close(called(LIBC.socketpair(family, kind, protocol, (ctypes.c_int * 2)())))

NETLINK, PACKET, VSOCK, ALG, BLUETOOTH, CAN, XDP, KEY, TIPC, QIPCRTR, NFC, PHONET = (
    16, 17, 40, 38, 31, 29, 44, 15, 30, 42, 39, 35
)
attempt(
    raw=lambda: opened(socket.AF_INET, socket.SOCK_RAW, 1),
    raw6=lambda: opened(socket.AF_INET6, socket.SOCK_RAW, 58),
    packet=lambda: opened(PACKET, socket.SOCK_RAW, 3),
    old_packet=lambda: syscall("socket", socket.AF_INET, 10, 3),
    xdp=lambda: opened(XDP),
    vsock=lambda: opened(VSOCK, socket.SOCK_STREAM),
    alg=lambda: opened(ALG, socket.SOCK_SEQPACKET),
    bluetooth=lambda: opened(BLUETOOTH, socket.SOCK_RAW, 1),
    can=lambda: opened(CAN, socket.SOCK_RAW, 1),
    key=lambda: opened(KEY, socket.SOCK_RAW, 2),
    tipc=lambda: opened(TIPC, socket.SOCK_STREAM),
    tipc_pair=lambda: pair(TIPC, socket.SOCK_STREAM, 0),
    qipcrtr=lambda: opened(QIPCRTR, socket.SOCK_DGRAM),
    nfc=lambda: opened(NFC, socket.SOCK_RAW, 1),
    phonet=lambda: opened(PHONET, socket.SOCK_DGRAM),
    **{f"netlink {number}": lambda number=number: opened(NETLINK, socket.SOCK_RAW, number) for number in range(0, 23)},
)
"""

INTERFACES = """
import fcntl, socket

def asked():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with one, other:
        room = ctypes.create_string_buffer(4096)
        question = (ctypes.c_uint64 * 2)(4096, ctypes.addressof(room))
        fcntl.ioctl(one, 0x8912, question, True)  # SIOCGIFCONF
        if question[0] & 0xFFFFFFFF == 0:
            raise OSError(errno.ENODEV, "none")

def named():
    if [name for _, name in socket.if_nameindex() if name != "lo"] == []:
        raise OSError(errno.ENODEV, "none")

def other_than_loopback(path):
    lines = open(path).read().splitlines()[2:]
    if all(line.split()[0] == "lo:" for line in lines):
        raise OSError(errno.ENODEV, "none")

def connections():
    if len(open("/proc/net/tcp").read().splitlines()) < 2:
        raise OSError(errno.ENODEV, "none")

attempt(
    asked=asked,
    named=named,
    devices=lambda: other_than_loopback("/proc/net/dev"),
    connections=connections,
    tree=lambda: os.listdir("/sys/class/net"),
)
"""

ATTACKS = (
    Attack(4, "connect and listen", STREAMS),
    Attack(5, "send datagrams", DATAGRAMS),
    Attack(6, "use the sockets of this machine", LOCAL),
    Attack(7, "open any other kind of socket", OTHER),
    Attack(48, "learn of the network", INTERFACES),
)

"""Attacks on the result: to look passed, to reach the next run, to trap whoever reads what was left."""

from dlcodegen.execution.sandbox.limits import Limits
from tests.execution.attacks import ANYWHERE, NAIVE, Attack

VANISH = """
for name in os.listdir("."):
    os.unlink(name)
os.closerange(0, 4096)
"""

INHERITED = """
import fcntl, stat

def use(number):
    kind = os.fstat(number).st_mode
    if stat.S_ISFIFO(kind) and fcntl.fcntl(number, fcntl.F_GETFL) & 3 == os.O_WRONLY:
        raise OSError(errno.EPERM, "a pipe that takes the result")

def is_open(number):
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError:
        return False
    return True

attempt(**{f"descriptor {number}": lambda number=number: use(number) for number in filter(is_open, range(3, 4096))})
print("held: looked")
"""

STOP_EARLY = """
print("all tests passed", flush=True)
os._exit(0)
"""

STOP_POLITELY = """
print("all tests passed", flush=True)
sys.exit(0)
raise AssertionError("the work was not done")
"""

STOP_BY_THREAD = """
import _thread, threading
threading.Thread(target=os._exit, args=[0]).start()
while True:
    pass
"""

FORGE = """
guesses = {"ok": True, "completed": True, "status": "passed", "exit_code": 0, "token": "0" * 32}
for number in range(3, 1024):
    for text in json.dumps(guesses), json.dumps({"completed": ""}), "completed", "1", "[" * 100_000, "\\0" * 1000:
        try:
            os.write(number, text.encode() + b"\\n")
        except OSError:
            pass
os._exit(0)
"""

FORGE_DEEP = """
try:
    os.write(3, b"[" * 100_000)
except OSError:
    pass
os._exit(0)
"""

STEAL = """
frame = sys._getframe()
while frame:
    if "token" in frame.f_locals:
        os.write(3, json.dumps({"token": frame.f_locals["token"], "ended": "returned"}).encode())
        os._exit(0)
    frame = frame.f_back
"""

POISON = """
import builtins, random, socket, threading
torch = sys.modules.get("torch")  # the warm server has it loaded

for module in (builtins, os, sys, json, random, socket, threading, torch):
    if module:
        module.attack = TARGET["name"]
if torch:
    torch.nn.Module.__call__ = lambda *_: os.write(1, b"escaped: torch\\n")
    torch.set_default_dtype(torch.float64)
builtins.print, old = (lambda *_, **__: None), print
os.environ["ATTACK"] = TARGET["name"]
sys.path.insert(0, os.getcwd())
sys.modules["dlcodegen_attack"] = sys
sys.setrecursionlimit(50_000)
old("held: poisoned", flush=True)
"""

POISONED = """
import builtins, random, socket, threading
torch = sys.modules.get("torch")
modules = (builtins, os, sys, json, random, socket, threading, torch)
found = [module.__name__ for module in modules if hasattr(module, "attack")]
if torch:
    torch.nn.Linear(2, 2)(torch.zeros(1, 2))
    if torch.get_default_dtype() != torch.float32:
        found.append("default type")
if "ATTACK" in os.environ or "dlcodegen_attack" in sys.modules or sys.getrecursionlimit() == 50_000:
    found.append("environment")
os.write(1, ("".join(f"escaped: {name}\\n" for name in found) or "held: clean\\n").encode())
"""

# What the fork server has mapped to write, all its children write to together.
SHARED_WITH_SERVER = """
def shared():
    with open("/proc/self/maps") as file:
        found = [line for line in file if line.split()[1].startswith("rw") and line.split()[1].endswith("s")]
    if not found:
        raise OSError(errno.ENOENT, "none")
    print(*found)

attempt(memory=shared)
"""

LEAVE = """
def leave(folder):
    with open(f"{folder}/{TARGET['name']}", "w") as file:
        file.write("x")

places = [*TARGET["places"], os.getcwd(), os.environ["HOME"], os.environ.get("TMPDIR", "/tmp")]
claim(**{f"in {folder}": lambda folder=folder: leave(folder) for folder in dict.fromkeys(places)})
"""

LEFT = """
def find(folder):
    os.stat(f"{folder}/{TARGET['name']}")

places = [*TARGET["places"], os.getcwd(), os.environ["HOME"], os.environ.get("TMPDIR", "/tmp")]
attempt(**{f"in {folder}": lambda folder=folder: find(folder) for folder in dict.fromkeys(places)})
"""

TRAPS = """
def folder_link():
    os.symlink(TARGET["folder"], "out")

claim(
    symbolic=lambda: os.symlink(TARGET["secret"], "symbolic.json"),
    own_root=lambda: os.symlink("/proc/self/root" + TARGET["secret"], "root.json"),
    hard=lambda: os.link(TARGET["secret"], "hard.json"),
    folder=folder_link,
    installed=lambda: os.link(TARGET["shared"], "installed.json"),
)
os.mkdir("folder.json")
with open("sparse.json", "wb") as file:
    file.truncate(100 << 20)
"""

PICKLE = """
import pickle

class Bomb:
    def __reduce__(self):
        return exec, (f"open({TARGET['folder'] + '/exploded'!r}, 'w').close()",)

for name in "model.pt", "array.npy", "metrics.json":
    with open(name, "wb") as file:
        pickle.dump(Bomb(), file)
print("held: bomb: made")
"""

PIPE = """
import stat
attempt(
    fifo=lambda: os.mkfifo("metrics.json"),
    node=lambda: os.mknod("weights.pt", stat.S_IFIFO | 0o600),
    by_number=lambda: syscall("mknodat", -100, b"model.pt", stat.S_IFIFO | 0o600, 0),
)
"""

READ_BACK = (
    "symbolic.json",
    "root.json",
    "hard.json",
    "out/secret.txt",
    "installed.json",
    "folder.json",
    "sparse.json",
)
PIPES = ("metrics.json", "weights.pt", "model.pt")

NO_RECORD = "there is no record to forge"

ATTACKS = (
    Attack(32, "delete everything and close everything", VANISH, control=NAIVE, green=True),
    Attack(33, "use what descriptors were inherited", INHERITED, control=NAIVE),
    Attack(34, "end in the middle", STOP_EARLY, control=NAIVE, green=True),
    Attack(34, "end in the middle, from a thread", STOP_BY_THREAD, control=NAIVE, green=True),
    Attack(35, "end in the middle, politely", STOP_POLITELY, control=NAIVE, green=True),
    Attack(36, "forge the record of completion by guessing", FORGE, control=NAIVE, green=True),
    Attack(36, "send a record that its reader chokes on", FORGE_DEEP, control=NAIVE, green=True),
    Attack(37, "forge the record with the stolen token", STEAL, control=NO_RECORD, green=True, escapes=ANYWHERE),
    Attack(38, "poison the interpreter of the next run", POISON, control=NAIVE, afterwards=POISONED),
    Attack(38, "write to memory of the fork server", SHARED_WITH_SERVER, control="there is no server"),
    Attack(39, "leave files for the next run", LEAVE, afterwards=LEFT),
    Attack(40, "trap the reader with links", TRAPS, control=NAIVE, artefacts=READ_BACK),
    Attack(
        40, "trap the reader with pickles", PICKLE, control=NAIVE, artefacts=("model.pt", "array.npy", "metrics.json")
    ),
    Attack(42, "trap the reader with pipes", PIPE, artefacts=PIPES, limits=Limits(wall=5)),
)

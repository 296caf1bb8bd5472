"""The page on which one draws: what its server answers, what it refuses, and who can reach it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import draw
from feature_maps import Stage, stages
from mnist_look import as_mnist
from trained_lenet import network_input, probabilities, trained_lenet

SEVEN = np.zeros((280, 280), np.uint8)
SEVEN[60:82, 80:200] = 255
for row in range(60, 230):
    SEVEN[row, 190 - row // 3 : 212 - row // 3] = 255


@pytest.fixture(scope="module")
def server():
    with draw.Server(trained_lenet(), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    """Send a request; return the status, the headers and the body of the answer."""

    def ask(method, path, body=None, headers=()):
        connection = http.client.HTTPConnection(draw.HOST, server.server_port, timeout=10)
        connection.request(method, path, body, dict(headers))
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, reply.headers, text

    return ask


def test_a_digit_is_read_and_every_layer_told(ask):
    status, headers, text = ask("POST", "/predict", SEVEN.tobytes())
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    answer = json.loads(text)
    assert set(answer) == {"digit", "probabilities", "look", "layers"}
    look = as_mnist(SEVEN)
    assert answer["digit"] == 7
    np.testing.assert_allclose(answer["probabilities"], probabilities(trained_lenet(), look), rtol=1e-6)
    np.testing.assert_allclose(np.array(answer["look"]).reshape(28, 28) / 255, look, atol=1 / 255)
    assert [(layer["name"], layer["size"]) for layer in answer["layers"]] == [
        ("Conv2d(1, 6, 5), ReLU", "6 maps of 24\N{MULTIPLICATION SIGN}24"),
        ("MaxPool2d(2)", "6 maps of 12\N{MULTIPLICATION SIGN}12"),
        ("Conv2d(6, 16, 5), ReLU", "16 maps of 8\N{MULTIPLICATION SIGN}8"),
        ("MaxPool2d(2)", "16 maps of 4\N{MULTIPLICATION SIGN}4"),
        ("Linear(256, 120), ReLU", "120 numbers"),
        ("Linear(120, 84), ReLU", "84 numbers"),
        ("Linear(84, 10)", "10 numbers"),
    ]
    for layer in answer["layers"]:
        assert len(layer["values"]) == np.prod(layer["shape"])
        assert max(layer["values"]) == 255 and min(layer["values"]) == 0


def test_many_at_once_get_their_own_answers(ask):
    pictures = [np.roll(SEVEN, 10 * shift, axis=1) >> (shift % 3) for shift in range(8)]
    alone = [ask("POST", "/predict", picture.tobytes())[2] for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: ask("POST", "/predict", picture.tobytes())[2], pictures * 4))
    assert together == alone * 4


def test_the_page_needs_nothing_from_elsewhere(ask):
    status, headers, text = ask("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert text == draw.PAGE.read_text(encoding="utf-8")
    assert "//" not in re.sub(r"(?m)(^|\s)//.*", "", text)  # nothing but comments: no address
    assert re.findall(r"\b(?:src|href|url)\b\S*", text) == ['href="data:,">']
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("request_", "status", "sentence"),
    [
        (("POST", "/predict", b""), 400, "expected 78400 bytes, one a pixel, got 0 after a Content-Length of 0"),
        (("POST", "/predict", None, {"Content-Length": "78401"}), 400, "got 0 after a Content-Length of 78401"),
        (("POST", "/predict", iter([b"short"])), 400, "got 0 after a Content-Length of none"),  # in chunks
        (("POST", "/predict", None, {"Content-Length": "9" * 99}), 400, f"a Content-Length of {'9' * 20}"),
        (("POST", "/predict", None, {"Content-Length": "-1"}), 400, "a Content-Length of -1"),
        (("POST", "/predict", bytes(78_400)), 400, "expected a digit on a plain background, got shades of 0 to 0"),
        (("POST", "/", bytes(78_400)), 404, "expected GET / or POST /predict, got POST of another path"),
        (("GET", "/predict"), 404, "expected GET / or POST /predict, got GET of another path"),
        (("GET", "/../draw.py"), 404, "expected GET / or POST /predict"),
        (("GET", "/", None, {"Host": "elsewhere.example"}), 400, "got another host's"),
        (("POST", "/predict", SEVEN.tobytes(), {"Host": "elsewhere.example:80"}), 400, "got another host's"),
        (("PUT", "/"), 501, "Unsupported method ('PUT')"),
    ],
)
def test_what_is_no_request_of_the_page_is_refused_in_a_sentence(ask, request_, status, sentence):
    found, headers, text = ask(*request_)
    assert found == status and sentence in text and text.count("\n") == 1
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert ask("GET", "/")[0] == 200


def test_who_is_refused_while_still_sending_gets_the_answer_too(server):
    with socket.create_connection(server.server_address, timeout=10) as link:
        link.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 400000\r\n\r\n" % server.server_port)
        for _ in range(4):
            time.sleep(0.02)  # the server answers before all is sent
            link.sendall(bytes(100_000))
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.0 404 ")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/nine\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 78400\r\n\r\nshort", 400),
    ],
)
def test_what_is_hardly_http_is_refused_too(server, words, status):
    with socket.create_connection(server.server_address, timeout=10) as link:
        link.sendall(words % server.server_port if b"%d" in words else words)
        link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    head, _, text = answer.decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.0 {status} ")
    assert text.count("\n") == 1


def test_a_browser_that_goes_away_is_not_talked_of(server, ask, capfd):
    for _ in range(3):
        with socket.create_connection(server.server_address) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
            link.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.server_port)
    assert ask("GET", "/")[0] == 200
    assert capfd.readouterr().err == ""


def test_only_this_machine_can_reach_it(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_a_port_that_is_taken_is_told_in_a_sentence(server, capsys):
    for port in (server.server_port, 70_000):
        with pytest.raises(SystemExit) as end:
            draw.main(["--port", str(port)])
        assert end.value.code == 2
        assert f"cannot listen on port {port}: " in capsys.readouterr().err


def test_the_script_runs_with_numpy_alone_until_ctrl_c():
    hidden = ["torch", "torchvision", "parity", "PIL", "safetensors", "matplotlib", "tqdm"]
    script = Path(draw.__file__)
    code = f"import runpy, sys; sys.modules.update(dict.fromkeys({hidden})); sys.argv[1:] = ['--port', '0']"
    code += f"; sys.path.insert(0, {str(script.parent)!r}); runpy.run_path({str(script)!r}, run_name='__main__')"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as whoever is started in the background finds it
    try:
        process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            address = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=10)
            connection.request("POST", "/predict", SEVEN.tobytes())
            assert json.loads(connection.getresponse().read())["digit"] == 7
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")


# feature_maps.py


def test_the_stages_are_what_the_network_computes():
    model, x = trained_lenet(), network_input(as_mnist(SEVEN))
    found = stages(model, x)
    with nc.no_grad():
        np.testing.assert_array_equal(found[0].output, np.maximum(0, model.conv1(x)[0]))
        np.testing.assert_array_equal(found[-1].output, model(x)[0])


def test_brightness_shows_zero_black_and_the_largest_white():
    assert Stage("", np.array([0, 1, 2.0])).brightness.tolist() == [0, 128, 255]
    assert Stage("", np.array([-1, 0, 1.0])).brightness.tolist() == [0, 128, 255]
    assert Stage("", np.array([3.0, 6])).brightness.tolist() == [128, 255]
    assert Stage("", np.zeros((2, 3, 3))).brightness.max() == 0

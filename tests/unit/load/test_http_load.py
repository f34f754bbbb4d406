"""The load client's own bytes and figures."""

from load_tests.http_load import Load, request


def test_request_has_a_head_and_a_length():
    """A body is announced, a token is sent, a GET has neither."""
    made = request("POST", "/x", b"{}", "t")
    assert made == (
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer t\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert request("GET", "/y") == b"GET /y HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_load_counts_only_good_answers():
    """What was refused is named and does not count as speed."""
    load = Load({200: 40, 201: 10, 503: 5}, 2.0, [0.001] * 55)
    assert load.per_second == 25
    assert "refused {503: 5}" in load.text()
    assert "refused" not in Load({200: 1}, 1.0, [0.1]).text()

"""Who may ask: `Host`, `Origin`, the token, the login link and its cookie."""

from __future__ import annotations

from pathlib import Path

import pytest
from server_room import API, BEARER, HOST, TOKEN, Room
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from penstock.errors import Forbidden, Unauthenticated
from penstock.server.application import ROUTES
from penstock.server.guard import Doors, Keys, authority


def bare(room: Room) -> TestClient:
    """A client without a token, which follows no redirect."""
    return TestClient(room.app, base_url=f"http://{HOST}", follow_redirects=False)


# --- Host and Origin --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:9000", "LOCALHOST", "[::1]:8080", "127.0.0.1"])
def test_loopback_is_answered_whatever_the_port(host: str) -> None:
    Doors("127.0.0.1", ()).check(Headers({"host": host}))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "",
        "localhost.",
        "[::1",
        "a@localhost.x",
        "192.168.1.7",
    ],
)
def test_a_foreign_host_is_refused(host: str) -> None:
    with pytest.raises(Forbidden, match="Host: got"):
        Doors("127.0.0.1", ()).check(Headers({"host": host}))


def test_no_host_is_refused() -> None:
    with pytest.raises(Forbidden):
        Doors("127.0.0.1", ()).check(Headers({}))


def test_hosts_can_be_allowed_by_name_or_with_a_port() -> None:
    doors = Doors("127.0.0.1", ("Penstock.example", "other.example:443"))
    for host in ("penstock.example", "penstock.example:8080", "other.example:443"):
        doors.check(Headers({"host": host}))
    with pytest.raises(Forbidden):
        doors.check(Headers({"host": "other.example:8080"}))


def test_a_server_that_listens_everywhere_answers_to_numbers_but_not_to_names() -> None:
    doors = Doors("0.0.0.0", ())
    doors.check(Headers({"host": "192.168.1.7:8080"}))
    doors.check(Headers({"host": "[fe80::1]:8080"}))
    with pytest.raises(Forbidden):
        doors.check(Headers({"host": "evil.example:8080"}))


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "", "http://127.0.0.1"])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden, match="Origin: got"):
        Doors("127.0.0.1", ()).check(Headers({"host": HOST, "origin": origin}))


def test_the_own_origin_is_answered_behind_a_proxy_with_tls_too() -> None:
    doors = Doors("127.0.0.1", ("penstock.example",))
    doors.check(Headers({"host": HOST, "origin": f"http://{HOST}"}))
    doors.check(Headers({"host": "penstock.example", "origin": "https://penstock.example"}))


def test_what_another_site_embeds_is_refused_but_a_link_may_be_followed() -> None:
    doors = Doors("127.0.0.1", ())
    doors.check(Headers({"host": HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}))
    doors.check(Headers({"host": HOST, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}))
    for site in ("cross-site", "same-site"):
        with pytest.raises(Forbidden):
            doors.check(Headers({"host": HOST, "sec-fetch-site": site, "sec-fetch-mode": "no-cors"}))


@pytest.mark.parametrize("path", ["/", "/healthz", "/login?code=x", f"{API}/runs", "/assets/nothing.js"])
def test_every_address_is_behind_the_doors(room: Room, path: str) -> None:
    client = bare(room)
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        answer = client.get(path, headers=BEARER | headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == 7


# --- token ------------------------------------------------------------------------------------------------------


def test_no_route_of_the_api_answers_without_a_token(room: Room) -> None:
    client = bare(room)
    for route in ROUTES:
        if route.path.startswith(API):
            answer = client.request(route.method, route.path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, route
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "penstock up" in answer.json()["message"]


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", f"bearer {TOKEN}x", "Bearer \xe4"])
def test_a_wrong_token_is_refused(room: Room, value: str) -> None:
    client = bare(room)
    assert client.get(f"{API}/runs", headers={"Authorization": value.encode("latin-1")}).status_code == 401


def test_the_right_token_is_let_in(room: Room) -> None:
    client = bare(room)
    assert client.get(f"{API}/runs", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_health_and_page_need_no_token(room: Room) -> None:
    client = bare(room)
    assert client.get("/healthz").json()["ready"] is True


def test_no_answer_tells_the_token(room: Room) -> None:
    client = bare(room)
    answer = client.get(f"{API}/runs", headers={"Authorization": "Bearer wrong-but-long-enough"})
    assert TOKEN not in answer.text
    assert "wrong-but-long-enough" not in answer.text


# --- login ------------------------------------------------------------------------------------------------------


def test_a_login_link_works_once(room: Room) -> None:
    link = room.app.login_path()
    client = bare(room)
    answer = client.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert client.get(f"{API}/runs").status_code == 200
    other = bare(room)
    again = other.get(link)
    assert again.status_code == 401
    assert "was used" in again.json()["message"]
    assert "set-cookie" not in again.headers
    assert other.get(f"{API}/runs").status_code == 401


def test_a_link_that_is_opened_again_in_the_same_browser_leads_to_the_page(room: Room) -> None:
    link = room.app.login_path()
    client = bare(room)
    client.get(link)
    assert client.get(link).headers["location"] == "/"


def test_a_browser_with_a_used_link_is_led_to_the_page_which_tells_what_to_do(room: Room) -> None:
    answer = bare(room).get("/login?code=used", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


def test_looking_at_a_link_does_not_use_it(room: Room) -> None:
    link = room.app.login_path()
    client = bare(room)
    assert client.head(link).status_code == 401
    assert client.post(link).json()["code"] == 16
    assert client.get(link).status_code == 303


def test_a_cookie_outlives_the_server_and_dies_with_the_token_or_its_time(tmp_path: Path) -> None:
    time = 1000.0
    keys = Keys(TOKEN, lambda: time)
    cookie = (keys.redeem(keys.new_code()) or "").partition(";")[0]
    headers = Headers({"cookie": f"other=1; {cookie}"})
    Keys(TOKEN, lambda: time).check(headers)
    with pytest.raises(Unauthenticated):
        Keys("another-token-of-16", lambda: time).check(headers)
    time += 29 * 86_400
    with pytest.raises(Unauthenticated):
        keys.check(headers)


@pytest.mark.parametrize("value", ["", ".", "99999999999", "99999999999.00", "x.y", "٣.0", "9" * 5000])
def test_a_cookie_that_we_did_not_make_is_refused(value: str) -> None:
    keys = Keys(TOKEN, lambda: 0.0)
    assert not keys.knows(Headers({"cookie": f"{keys.cookie}={value}".encode().decode("latin-1")}))


def test_homes_do_not_take_each_others_cookies_for_their_own() -> None:
    assert Keys(TOKEN, lambda: 0.0).cookie != Keys("another-token-of-16", lambda: 0.0).cookie


def test_authority_of_numbers_with_colons() -> None:
    assert authority("::1", 80) == "[::1]:80"
    assert authority("127.0.0.1", 80) == "127.0.0.1:80"

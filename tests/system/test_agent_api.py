"""What agents may tell the router over HTTP, and what the admin API shows of their questions."""
from harness import check, eventually, free_port, http, same
from people import World

EVENT = {"event_id": "e1", "kind": "task_done", "text": "ready", "chat_id": 4711}


def world(t, more=""):
    agent = t.agent()
    registry = {"agents": [{"id": "main", "label": "Main", "base_url": agent.url(),
                            "events_token": {"env": "EVENTS_TOKEN"}},
                           {"id": "mute", "label": "Mute", "base_url": agent.url()}],
                "default_agent": "main"}
    return World(t, agent=agent, registry=registry, config=more, env={"EVENTS_TOKEN": "the own token of main"})


def post(base, agent, body, token="the own token of main"):
    status, answer = http("POST", f"{base}/api/v1/agents/{agent}/events", body, token)
    check(status == 0 or status == 200 or sorted(answer) == ["code", "hint", "message"], answer)
    return status, answer.get("code")


def test_only_an_agent_itself_may_post_events(t):
    w = world(t)
    same(post(w.console, "main", EVENT, None), (401, "unauthorised"))
    for agent in ("main", "mute", "nobody"):
        same(post(w.console, agent, EVENT, "a wrong token"), (403, "forbidden"), agent)
    admin = "an admin token, long"
    same([post(w.console, a, EVENT, admin) for a in ("main", "mute", "nobody")],
         [(403, "forbidden"), (403, "no_events_token"), (404, "unknown_agent")])
    same(post(w.console, "main", {"kind": "gossip"}), (400, "bad_request"))
    same(post(w.console, "main", {**EVENT, "text": "x" * 300_000}), (413, "too_large"))
    # Until the rooms are known nobody can tell: 503 says that it is too early.
    eventually("the rooms are known", lambda: post(w.console, "main", EVENT) == (404, "unknown_chat"))


def test_agents_may_have_an_address_of_their_own(t):
    port = free_port()
    w = world(t, f'agents_api: {{listen: "127.0.0.1:{port}"}}')
    base = f"http://127.0.0.1:{port}"
    same(http("GET", base + "/healthz")[0], 200)
    eventually("the rooms are known", lambda: post(base, "main", EVENT) == (404, "unknown_chat"))
    same(post(w.console, "main", EVENT), (404, "unknown_chat"), "the console takes them, too")
    for path in ("/", "/metrics", "/readyz", "/api/v1/status", "/api/v1/agents"):
        same(http("GET", base + path, token="an admin token, long")[0], 404, path)


def test_an_address_of_agents_that_is_taken_ends_the_start_with_words(t):
    taken = t.agent()
    w = World(t, agent=taken, config=f'agents_api: {{listen: "127.0.0.1:{taken.port}"}}', start=False)
    router = w.run()
    same(router.wait(), 69)
    check("agents_api.listen" in router.text(), router.text()[-500:])


def test_confirmations_are_listed(t):
    w = world(t)
    admin = "an admin token, long"
    for query in ("", "?state=open", "?state=all&limit=5"):
        same(http("GET", f"{w.console}/api/v1/confirmations{query}", token=admin),
             (200, {"items": [], "next": None}), query)
    same(http("GET", f"{w.console}/api/v1/confirmations?state=odd", token=admin)[0], 400)
    same(http("GET", f"{w.console}/api/v1/confirmations")[0], 401)

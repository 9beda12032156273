// What fails around the router: the way to the homeserver, the agents.

#include "tests/simulate/story.hpp"

namespace pb::simulate {

using namespace std::chrono_literals;
using scripted::step;

namespace {

http_response html() {
  return {200, {{"Content-Type", "text/html"}}, "<html><body>Please log in</body></html>"};
}

http_response limited(dice& d) {
  const auto ms = d.between(50, 20'000);
  switch (d.between(0, 3)) {
  case 0:
    return {429,
            {{"Retry-After", std::to_string(1 + ms / 1000)}},
            R"({"errcode":"M_LIMIT_EXCEEDED","error":"slow down"})"};
  case 1:
    return {
        429, {}, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":)" + std::to_string(ms) + "}"};
  case 2:
    return {429, {}, R"({"errcode":"M_LIMIT_EXCEEDED"})"};
  default:
    return {429, {{"Content-Type", "text/html"}}, "<html>Too many requests</html>"};
  }
}

http_response server_error(dice& d) {
  static constexpr int codes[] = {500, 502, 503, 504};
  const auto code = codes[d.between(0, 3)];
  return d.chance(0.5)
             ? http_response{code, {{"Content-Type", "text/html"}}, "<html>Bad gateway</html>"}
             : http_response{
                   code, {}, R"({"errcode":"M_UNKNOWN","error":"Internal server error"})"};
}

/// `object`: also one that a person's own state could not be told from.
http_response junk(dice& d, bool object) {
  switch (d.between(0, object ? 3 : 2)) {
  case 0:
    return html();
  case 1:
    return {200, {}, ""};
  case 2:
    return {200, {}, R"([1e400,"\ud800"])"};
  default:
    return {200, {}, R"({"next_batch":7,"event_id":[],"room_id":null,"rooms":"none"})"};
  }
}

} // namespace

std::string agent_of(const std::string& url) {
  const auto from = url.find("/agent_");
  return url.substr(from + 1, url.find('/', from + 1) - from - 1);
}

test::http_fate story::fate_of(http_request& r) {
  if (r.target.ends_with("/filter") && sky_.timeline_limit < 50)
    if (const auto at = r.body.find("\"limit\":50"); at != std::string::npos)
      r.body.replace(at, 10, "\"limit\":" + std::to_string(sky_.timeline_limit));
  book_.on_request(w_.clock.now(), r);
  test::http_fate how;
  if (!stormy_)
    return how;
  const bool safe = r.method == "GET" || r.method == "PUT"; // may be asked twice by what is between
  if (net_.chance(sky_.slow)) {
    how.there = net_.long_tail(60);
    how.back = net_.long_tail(60);
  }
  how.lost = net_.chance(sky_.lost);
  how.cut = net_.chance(sky_.cut);
  how.twice = net_.chance(sky_.twice) && safe;
  // Not state: nothing orders two of those, and the next start puts right what a late one spoilt.
  how.undead = net_.chance(sky_.undead) && r.method == "PUT" &&
               r.target.find("/state/") == std::string::npos;
  if (net_.chance(sky_.limited))
    how.instead = limited(net_);
  else if (net_.chance(sky_.server_error))
    (net_.chance(0.5) ? how.instead : how.after) = server_error(net_);
  else if (net_.chance(sky_.junk))
    (net_.chance(0.5) ? how.instead : how.after) =
        junk(net_, r.target.find("/state") == std::string::npos);
  if (net_.chance(sky_.cut_short))
    how.keep_bytes = static_cast<std::size_t>(net_.between(0, 200));
  return how;
}

scripted::dial_plan story::dial_plan_of(const link_request&) {
  using how = scripted::dial_plan::how;
  scripted::dial_plan p;
  if (!stormy_)
    return p;
  p.delay = minds_.time(0, 200);
  if (minds_.chance(sky_.refuses))
    p.outcome = how::refuse;
  else if (minds_.chance(sky_.rejects))
    p.outcome = how::reject;
  else if (minds_.chance(sky_.never_opens))
    p.outcome = how::never_open;
  return p;
}

std::vector<step> story::answer_of(const scripted::heard& h) {
  const auto text = h.frame.value("text", "");
  const auto name = agent_of(h.url);
  note({}, name + " is asked: " + (text.empty() ? h.frame.dump() : text.substr(0, 40)));
  const bool slow = name == "agent_3";
  if (h.type == "CONFIRM") { // an answer whose turn is over
    if (stormy_ && minds_.chance(sky_.reports))
      return {scripted::error("unknown_confirmation", "what question?")};
    return {scripted::chunk("as you say"), scripted::end()};
  }

  std::vector<step> out;
  const auto pause = [&] {
    out.push_back(scripted::wait(slow ? minds_.time(200, 4'000) : minds_.time(0, 60)));
  };
  const auto words = "re: " + text.substr(0, 40);
  const auto half = words.size() / 2;
  pause();
  if (stormy_) {
    if (minds_.chance(sky_.odd)) {
      out.push_back(scripted::send({{"type", "AGENT_EVENT_DANCE"}, {"steps", 3}}));
      out.push_back(scripted::send({{"type", "STATUS"}, {"text", "thinking"}}));
      out.push_back(scripted::send({{"type", "AGENT_EVENT_TOOL_RESULT"}, {"result", 7}}));
    }
    if (minds_.chance(sky_.asks)) {
      out.push_back(scripted::send(
          {{"type", "AGENT_EVENT_CONFIRM"}, {"confirmation_id", "c"}, {"prompt", "May I?"}}));
      out.push_back(scripted::await_confirm());
    }
    if (minds_.chance(sky_.hangs)) {
      out.push_back(scripted::await_cancel());
      return out;
    }
    if (minds_.chance(sky_.reports)) {
      out.push_back(scripted::error("overloaded", "too much to do"));
      return out;
    }
    if (minds_.chance(sky_.malformed)) {
      out.push_back(scripted::raw("{\"type\": \"AGENT_EVENT_TEXT"));
      return out;
    }
    if (minds_.chance(sky_.dies)) {
      if (minds_.chance(0.7))
        out.push_back(scripted::chunk(words.substr(0, half)));
      pause();
      out.push_back(minds_.chance(0.5) ? scripted::break_off() : scripted::hang_up());
      return out;
    }
  }
  out.push_back(scripted::chunk(words.substr(0, half)));
  pause();
  out.push_back(scripted::chunk(words.substr(half)));
  out.push_back(scripted::end());
  if (stormy_ && minds_.chance(sky_.odd)) { // late words and a second END belong to no turn
    out.push_back(scripted::chunk("late words"));
    out.push_back(scripted::end());
  }
  return out;
}

} // namespace pb::simulate

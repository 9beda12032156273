// bench_world [options] -- SUBJECT ARGS…: homeserver, agents, load and oracle around one subject.

#include "tests/bench/world/run.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <sys/resource.h>

int main(int argc, char** argv) {
  pb::bench::plan plan;
  CLI::App app{"Homeserver and agents in one process, with an oracle for loss and doubling. Starts "
               "the subject, loads it, prints one line of JSON."};
  app.add_option("--port", plan.port, "port on 127.0.0.1 for homeserver and agents")->required();
  app.add_option("--rooms", plan.form.rooms)->check(CLI::Range(1, 1'000'000));
  app.add_option("--rooms-per-person", plan.form.rooms_per_person)->check(CLI::Range(1, 1'000'000));
  app.add_option("--agents", plan.form.agents)->check(CLI::Range(1, 100'000));
  app.add_option("--open", plan.open, "messages that are open at any time (W)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--deltas", plan.form.deltas, "text chunks of an answer (D); 0 is one chunk");
  app.add_option("--frames-per-write", plan.form.frames_per_write, "how an agent writes its chunks")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--bytes", plan.form.body_bytes, "of a text and of an answer")
      ->check(CLI::Range(1, 60'000));
  app.add_option("--warm-up", plan.warm_up_s, "seconds, from the first answer on");
  app.add_option("--window", plan.window_s, "seconds that are measured");
  app.add_option("--start-limit", plan.start_s, "seconds until the first answer at the latest");
  app.add_flag("--memory", plan.memory, "measure memory: idle, and after each room spoke once");
  app.add_flag("--restart", plan.restart,
               "no load: how soon the messages that are unfinished get their answers");
  app.add_option("--settled", plan.before.settled, "answered messages in the subject's database");
  app.add_option("--unfinished", plan.before.unfinished, "and admitted, unanswered ones");
  app.add_option("--bursts", plan.bursts, "no steady load: this many large responses, one by one")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--burst-events", plan.burst_events)->check(CLI::Range(1, 100'000));
  app.add_option("--burst-rooms", plan.burst_rooms)->check(CLI::Range(1, 100'000));
  app.add_option("--rate", plan.rate,
                 "messages per second at fixed times, instead of --open; after --memory: both")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--dead", plan.dead, "the last so many agents never answer a handshake");
  app.add_flag("--may-fail", plan.may_fail,
               "a message may be told to have no answer, if its agent did not have it");
  app.add_option(
      "--outage", plan.outage_s,
      "with --memory: then all agents are away for so many seconds, and every room speaks");
  app.add_option("--pace-ms", plan.form.pace_ms, "between two chunks of an answer");
  app.add_flag("--echo", plan.form.echo, "agents name the turn in every frame");
  app.add_option("--log", plan.log, "file for the subject's stderr");
  app.add_option("subject", plan.argv, "command line of the subject, after --")->required();
  CLI11_PARSE(app, argc, argv);
  plan.burst_rooms = std::min(plan.burst_rooms, plan.form.rooms);

  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  try {
    pb::bench::run run(plan);
    const int code = run.execute();
    std::cout << run.report() << std::endl;
    return code;
  } catch (const std::exception& e) {
    std::cerr << "bench_world: " << e.what() << std::endl;
    return 1;
  }
}

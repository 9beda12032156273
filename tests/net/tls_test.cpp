// TLS against a foreign server (OpenSSL directly), with certificates made for the test.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

using namespace fixtures;

namespace {

struct certificate {
  EVP_PKEY* key = nullptr;
  X509* x509 = nullptr;
};

/// `names` as in subjectAltName ("DNS:localhost,IP:127.0.0.1"); without an issuer it signs itself.
certificate make_certificate(const std::string& names, bool ca,
                             const certificate* issuer = nullptr) {
  certificate c;
  c.key = EVP_EC_gen("P-256");
  c.x509 = X509_new();
  static long serial = 1;
  X509_set_version(c.x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(c.x509), -60);
  X509_gmtime_adj(X509_getm_notAfter(c.x509), 3600);
  X509_set_pubkey(c.x509, c.key);
  auto* subject = X509_get_subject_name(c.x509);
  const std::string cn = ca ? "test CA" : "test server";
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(cn.c_str()), -1, -1, 0);
  X509_set_issuer_name(c.x509, issuer ? X509_get_subject_name(issuer->x509) : subject);
  const auto extend = [&](int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer ? issuer->x509 : c.x509, c.x509, nullptr, nullptr, 0);
    auto* e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(c.x509, e, -1);
    X509_EXTENSION_free(e);
  };
  extend(NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty())
    extend(NID_subject_alt_name, names);
  X509_sign(c.x509, issuer ? issuer->key : c.key, EVP_sha256());
  return c;
}

void release(const certificate& c) {
  X509_free(c.x509);
  EVP_PKEY_free(c.key);
}

/// A CA, its PEM file and a server certificate of it.
struct authority {
  certificate ca = make_certificate({}, true);
  certificate server;
  std::string file;
  explicit authority(const std::string& names) : server(make_certificate(names, false, &ca)) {
    char path[] = "/tmp/pb_test_ca_XXXXXX";
    const int fd = ::mkstemp(path);
    file = path;
    FILE* f = ::fdopen(fd, "w");
    PEM_write_X509(f, ca.x509);
    ::fclose(f);
  }
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;
  ~authority() {
    ::unlink(file.c_str());
    release(server);
    release(ca);
  }
};

/// Speaks TLS with every connection and answers each request; remembers the server names asked for.
struct tls_server {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  peers::inbox<std::string> names;
  peers::inbox<std::string> bodies;
  std::size_t body_size = 0; ///< of each request
  std::string answer = ok("secret");
  bool notify = true; ///< close_notify at the end
  std::unique_ptr<peers::scripted_server> server;

  explicit tls_server(const certificate& c, int newest = 0) {
    SSL_CTX_use_certificate(context, c.x509);
    SSL_CTX_use_PrivateKey(context, c.key);
    if (newest != 0)
      SSL_CTX_set_max_proto_version(context, newest);
    server = std::make_unique<peers::scripted_server>([this](peers::wire& w, int) { serve(w); });
  }
  tls_server(const tls_server&) = delete;
  tls_server& operator=(const tls_server&) = delete;
  ~tls_server() {
    server.reset();
    SSL_CTX_free(context);
  }

  void serve(peers::wire& w) {
    // OpenSSL writes to the socket without MSG_NOSIGNAL. Blocked in this thread only, so that a
    // SIGPIPE out of the code under test would still end the test.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, w.fd());
    if (SSL_accept(ssl) == 1) {
      const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
      names.put(name ? name : "");
      std::string in;
      char buffer[4096];
      for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;) {
        in.append(buffer, static_cast<std::size_t>(n));
        const auto end = in.find("\r\n\r\n");
        if (end == std::string::npos || in.size() < end + 4 + body_size)
          continue;
        bodies.put(in.substr(end + 4));
        in.clear();
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        if (answer.find("Content-Length") == std::string::npos)
          break;
      }
      if (notify)
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
  }
  [[nodiscard]] std::string url(const std::string& host = "localhost") const {
    return "https://" + host + ":" + std::to_string(server->port());
  }
};

std::unique_ptr<pb::http_client> trusting(pb::io_runtime& io, std::string ca_file) {
  pb::http_client_options options;
  options.tls.ca_file = std::move(ca_file);
  return pb::make_http_client(io, options);
}

pb::http_failure failure_of(pb::http_client& client, const std::string& url) {
  const auto r = ask(client, get(url));
  REQUIRE_FALSE(r);
  return r.error();
}

} // namespace

TEST_CASE("a certificate of our own CA is accepted, by name with SNI and by address without") {
  authority a("DNS:localhost,IP:127.0.0.1");
  tls_server peer(a.server);
  pb::io_runtime io;
  auto client = trusting(io, a.file);
  for (int i = 0; i < 3; ++i) {
    const auto r = ask(*client, get(peer.url()));
    REQUIRE(r);
    CHECK(r->body == "secret");
  }
  CHECK(io.counters().http_connections == 1);
  CHECK(ask(*client, get(peer.url("127.0.0.1"))));
  CHECK(peer.names.all() == std::vector<std::string>{"localhost", ""});
}

TEST_CASE("certificates that prove nothing are refused") {
  pb::io_runtime io;
  SECTION("signed by itself") {
    const auto self = make_certificate("DNS:localhost", false);
    {
      tls_server peer(self);
      auto client = pb::make_http_client(io);
      const auto f = failure_of(*client, peer.url());
      CHECK(f.error == pb::http_error::tls);
      CHECK(f.cause.find("certificate") != std::string::npos);
      CHECK_FALSE(f.sent);
    }
    release(self);
  }
  SECTION("signed by a CA that we do not know") {
    authority a("DNS:localhost");
    tls_server peer(a.server);
    auto client = pb::make_http_client(io);
    CHECK(failure_of(*client, peer.url()).error == pb::http_error::tls);
  }
  SECTION("for another host") {
    authority a("DNS:elsewhere.example");
    tls_server peer(a.server);
    auto client = trusting(io, a.file);
    CHECK(failure_of(*client, peer.url()).error == pb::http_error::tls);
    CHECK(failure_of(*client, peer.url("127.0.0.1")).error == pb::http_error::tls);
  }
}

TEST_CASE("verification can be switched off, and only by name") {
  authority a("DNS:elsewhere.example");
  tls_server peer(a.server);
  pb::io_runtime io;
  pb::http_client_options options;
  options.tls.verify = false;
  auto client = pb::make_http_client(io, options);
  CHECK(ask(*client, get(peer.url())));
}

TEST_CASE("TLS before 1.2, plain text on a TLS port and a CA file that is none are failures") {
  authority a("DNS:localhost");
  pb::io_runtime io;
  auto client = trusting(io, a.file);
  tls_server old(a.server, TLS1_1_VERSION);
  SSL_CTX_set_security_level(old.context, 0);
  CHECK(failure_of(*client, old.url()).error == pb::http_error::tls);
  peers::scripted_server plain([](peers::wire& w, int) {
    w.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    w.wait_closed();
  });
  CHECK(failure_of(*client, "https://localhost:" + std::to_string(plain.port())).error ==
        pb::http_error::tls);
  tls_server peer(a.server);
  auto confused = trusting(io, "/nonexistent/ca.pem");
  const auto f = failure_of(*confused, peer.url());
  CHECK(f.error == pb::http_error::tls);
  CHECK(f.cause.find("/nonexistent/ca.pem") != std::string::npos);
}

TEST_CASE("a body without a length is whole only if TLS was ended properly") {
  authority a("DNS:localhost");
  pb::io_runtime io;
  auto client = trusting(io, a.file);
  tls_server peer(a.server);
  peer.answer = "HTTP/1.0 200 OK\r\n\r\nwhole?";
  const auto whole = ask(*client, get(peer.url()));
  REQUIRE(whole);
  CHECK(whole->body == "whole?");
  peer.notify = false;
  CHECK(failure_of(*client, peer.url()).error == pb::http_error::closed);
}

TEST_CASE("a silent TLS handshake ends at the deadline") {
  pb::io_runtime io;
  peers::scripted_server silent([](peers::wire& w, int) { w.wait_closed(); });
  auto client = pb::make_http_client(io);
  auto request = get("https://127.0.0.1:" + std::to_string(silent.port()));
  request.timeout = 60ms;
  const auto r = ask(*client, request);
  REQUIRE_FALSE(r);
  CHECK(r.error().error == pb::http_error::timeout);
  CHECK_FALSE(r.error().sent);
}

TEST_CASE("a WebSocket over TLS verifies its peer too") {
  authority a("DNS:localhost");
  tls_server peer(a.server);
  peer.answer = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n";
  pb::io_runtime io;
  const auto url = "wss://localhost:" + std::to_string(peer.server->port());
  auto e = std::make_shared<events>();
  auto link = pb::make_dialer(io)->dial(to(url), e);
  CHECK(e->end().reason == pb::link_closed::how::refused);
  e = std::make_shared<events>();
  link = pb::make_dialer(io, {true, a.file})->dial(to(url), e);
  CHECK(e->end().reason == pb::link_closed::how::rejected);
  CHECK(e->end().code == 418);
}

TEST_CASE("files go through TLS, both ways") {
  authority who("DNS:localhost");
  tls_server server(who.server);
  std::string text;
  for (int i = 0; i < 40'000; ++i)
    text += std::to_string(i);
  server.body_size = text.size();
  server.answer = ok(text);
  pb::io_runtime io;
  auto client = trusting(io, who.file);
  const auto blank = [] {
    char name[] = "/tmp/pb_test_body_XXXXXX";
    pb::unique_fd fd(::mkstemp(name));
    ::unlink(name);
    return std::make_shared<pb::file_body>(std::move(fd));
  };
  auto request = post(server.url(), "");
  request.from = blank();
  REQUIRE(request.from->append(text) == 0);
  request.into = blank();
  REQUIRE(ask(*client, request));
  REQUIRE(server.bodies.wait(1));
  CHECK(server.bodies.all()[0] == text);
  std::string back(text.size(), '\0');
  for (std::size_t at = 0; at < back.size();) {
    const auto n = request.into->read(at, back.data() + at, back.size() - at);
    REQUIRE(n);
    REQUIRE(*n > 0);
    at += *n;
  }
  CHECK(request.into->size() == text.size());
  CHECK(back == text);
}

TEST_CASE("an exchange over TLS streams, and its end must be told by the server") {
  authority a("DNS:localhost");
  tls_server peer(a.server);
  pb::io_runtime io;
  const auto end = [&](const std::string& ca_file) {
    auto dialer = pb::make_dialer(io, {true, ca_file});
    auto e = std::make_shared<events>();
    auto request = to(peer.url());
    request.by = pb::carrier::http;
    request.http.method = "GET";
    auto link = dialer->dial(request, e);
    link->send("");
    const auto reason = e->end().reason;
    return std::pair(reason, e->texts.all());
  };
  using how = pb::link_closed::how;
  peer.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n";
  CHECK(end(a.file) == std::pair(how::closed, std::vector<std::string>{"a"}));
  peer.notify = false;
  CHECK(end(a.file) == std::pair(how::broken, std::vector<std::string>{"a"}));
  CHECK(end({}).first == how::refused);
}

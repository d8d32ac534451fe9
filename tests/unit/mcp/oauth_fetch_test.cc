// Fetching over real sockets, from a server of one thread whose certificate is made here.
#include "mcp/oauth_fetch.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/unique_fd.h"
#include "oauth_signer.h"
#include "support/temp_dir.h"

namespace tb::mcp::test {
namespace {

using std::chrono::milliseconds;
using tb::test::TempDir;

std::string certificate_for(EVP_PKEY* key, const std::string& names) {
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    EXPECT_NE(X509_sign(certificate, key, EVP_sha256()), 0);
    BIO* const memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    X509_free(certificate);
    return text;
}

// Answers each connection with the same bytes; without a certificate it speaks plain HTTP. An
// empty answer means that it reads the request and then keeps silent.
class DocumentServer {
  public:
    explicit DocumentServer(std::string answer, const std::string& certificate = "")
        : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_.get(), raw, sizeof address), 0);
        EXPECT_EQ(::listen(listener_.get(), 4), 0);
        socklen_t size = sizeof address;
        ::getsockname(listener_.get(), raw, &size);
        port_ = ntohs(address.sin_port);
        if (!certificate.empty()) {
            context_ = SSL_CTX_new(TLS_server_method());
            BIO* const memory =
                BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size()));
            X509* const parsed = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
            EXPECT_EQ(SSL_CTX_use_certificate(context_, parsed), 1);
            EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, p256_signer().key()), 1);
            X509_free(parsed);
            BIO_free(memory);
        }
        thread_ = std::thread([this] { run(); });
    }
    ~DocumentServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
        SSL_CTX_free(context_);
    }
    DocumentServer(const DocumentServer&) = delete;
    DocumentServer& operator=(const DocumentServer&) = delete;

    [[nodiscard]] OauthUrl url(const std::string& host = "localhost") const {
        const auto url = parse_oauth_url((context_ == nullptr ? "http://" : "https://") + host +
                                         ":" + std::to_string(port_) + "/a/keys?v=1");
        EXPECT_TRUE(url.has_value());
        return *url;
    }
    // Of the last connection; to be read after the fetch.
    [[nodiscard]] const std::string& request() const { return request_; }

  private:
    void run() {
        while (true) {
            const UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
            if (!peer.valid()) {
                return;
            }
            if (context_ == nullptr) {
                talk(
                    [&](char* to, int size) {
                        return static_cast<int>(
                            ::recv(peer.get(), to, static_cast<std::size_t>(size), 0));
                    },
                    [&](const std::string& text) {
                        ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
                    });
                continue;
            }
            SSL* const tls = SSL_new(context_);
            SSL_set_fd(tls, peer.get());
            if (SSL_accept(tls) == 1) {
                talk([&](char* to, int size) { return SSL_read(tls, to, size); },
                     [&](const std::string& text) {
                         SSL_write(tls, text.data(), static_cast<int>(text.size()));
                     });
                SSL_shutdown(tls);
            }
            SSL_free(tls);
        }
    }
    template <class Read, class Write>
    void talk(Read read, Write write) {
        std::string text;
        char buffer[4'096];
        while (text.find("\r\n\r\n") == std::string::npos) {
            const int got = read(buffer, sizeof buffer);
            if (got <= 0) {
                return;
            }
            text.append(buffer, static_cast<std::size_t>(got));
        }
        request_ = text;
        if (!answer_.empty()) {
            write(answer_);
            return;
        }
        read(buffer, sizeof buffer);  // until the other end has had enough
    }

    const std::string answer_;
    std::string request_;
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    SSL_CTX* context_ = nullptr;
    std::thread thread_;
};

std::string answer_of(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

Result<std::string> fetch(const OauthUrl& url, FetchLimits limits = {milliseconds(20'000), 1'000}) {
    return fetch_document(url, limits, {});
}

class OauthFetch : public ::testing::Test {
  protected:
    ~OauthFetch() override { ::unsetenv("SSL_CERT_FILE"); }
    // The authorities of the system are those of this text alone.
    void trust(const std::string& certificate) const {
        ::setenv("SSL_CERT_FILE", dir_.write("trusted.pem", certificate).c_str(), 1);
    }
    TempDir dir_;
};

TEST_F(OauthFetch, X2_ADocumentOverTls) {
    const std::string certificate = certificate_for(p256_signer().key(), "DNS:localhost");
    trust(certificate);
    const DocumentServer server(answer_of("{\"keys\":[]}"), certificate);
    const auto text = fetch(server.url());
    ASSERT_TRUE(text.has_value()) << text.error().to_string();
    EXPECT_EQ(*text, "{\"keys\":[]}");
    EXPECT_EQ(server.request().substr(0, 26), "GET /a/keys?v=1 HTTP/1.1\r\n");
    EXPECT_NE(server.request().find("Host: " + server.url().authority + "\r\n"), std::string::npos);
    EXPECT_EQ(server.request().find("Authorization"), std::string::npos);
}

TEST_F(OauthFetch, X2_CertificateAndHostNameAreChecked) {
    const std::string own = certificate_for(p256_signer().key(), "DNS:localhost,IP:127.0.0.1");
    const std::string other = certificate_for(p256_signer().key(), "DNS:other.example.com");
    const std::string stranger = certificate_for(rsa_signer().key(), "DNS:localhost");
    {
        const DocumentServer server(answer_of("{}"), own);
        trust(own);
        EXPECT_TRUE(fetch(server.url("localhost")).has_value());
        EXPECT_TRUE(fetch(server.url("127.0.0.1")).has_value());
        trust(stranger);
        const auto refused = fetch(server.url());
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, ErrorCode::kIo);
        EXPECT_NE(refused.error().message.find("certificate"), std::string::npos)
            << refused.error().message;
        EXPECT_EQ(server.request().find("GET"), 0U);  // of the good ones
    }
    const DocumentServer server(answer_of("{}"), other);
    trust(other);
    EXPECT_FALSE(fetch(server.url()).has_value());
    EXPECT_EQ(server.request(), "");  // nothing was said to the wrong one
}

TEST_F(OauthFetch, X2_OnlyTwoHundredCountsAndRedirectsAreNotFollowed) {
    for (const std::string status :
         {"302 Found\r\nLocation: /other", "404 Not Found", "500 Oops", "204 No Content"}) {
        const DocumentServer server(answer_of("{}", status));
        const auto text = fetch(server.url());
        ASSERT_FALSE(text.has_value()) << status;
        EXPECT_EQ(text.error().code, ErrorCode::kIo);
        EXPECT_NE(text.error().message.find(status.substr(0, 3)), std::string::npos)
            << text.error().message;
    }
}

TEST_F(OauthFetch, X2_SizeIsBounded) {
    const std::string chunk = "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(fetch(DocumentServer(answer_of(std::string(1'000, 'x'))).url())->size(), 1'000U);
    EXPECT_EQ(fetch(DocumentServer(head + chunk + "0\r\n\r\n").url())->size(), 1'000U);
    for (const std::string& answer :
         {answer_of(std::string(1'001, 'x')), head + chunk + chunk + "0\r\n\r\n",
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
          "HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'x')}) {
        const DocumentServer server(answer);
        const auto text = fetch(server.url());
        ASSERT_FALSE(text.has_value());
        EXPECT_EQ(text.error().code, ErrorCode::kResourceExhausted) << text.error().message;
    }
    const DocumentServer server("HTTP/1.1 200 OK\r\nX: " + std::string(50'000, 'x') + "\r\n\r\n");
    EXPECT_FALSE(fetch(server.url()).has_value());
}

TEST_F(OauthFetch, X2_TimeIsBoundedAndTheWaitCanBeEnded) {
    const DocumentServer silent("");
    const auto late = fetch(silent.url(), {milliseconds(50), 1'000});
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().code, ErrorCode::kIo);
    EXPECT_NE(late.error().message.find("too long"), std::string::npos);

    const CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(milliseconds(50));
        source.cancel();
    });
    const auto cancelled =
        fetch_document(silent.url(), {milliseconds(60'000), 1'000}, source.token());
    canceller.join();
    ASSERT_FALSE(cancelled.has_value());
    EXPECT_EQ(cancelled.error().code, ErrorCode::kInterrupted);
    const auto at_once =
        fetch_document(silent.url(), {milliseconds(60'000), 1'000}, source.token());
    EXPECT_EQ(at_once.error().code, ErrorCode::kInterrupted);
}

TEST_F(OauthFetch, X2_NobodyThereIsAnError) {
    OauthUrl url;
    {
        const DocumentServer server("");
        url = server.url();
    }
    const auto refused = fetch(url);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    const auto garbage = fetch(DocumentServer("SSH-2.0-x\r\n\r\n").url());
    ASSERT_FALSE(garbage.has_value());
    EXPECT_EQ(garbage.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace tb::mcp::test

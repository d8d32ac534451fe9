#include "mcp/http_channel.h"

#include <thread>

#include <gtest/gtest.h>

namespace tb::mcp {
namespace {

using Kind = HttpChannel::Kind;

OutMessage answer(std::string text) {
    return {std::move(text), OutMessage::Kind::kResponse, 0};
}
OutMessage note(std::string text) {
    return {std::move(text), OutMessage::Kind::kNotification, 0};
}
OutMessage question(std::string text) {
    return {std::move(text), OutMessage::Kind::kRequest, 0};
}

HttpChannelOptions resumable(std::uint64_t stream) {
    HttpChannelOptions options;
    options.resumable = true;
    options.primed = true;
    options.stream = stream;
    return options;
}

TEST(HttpChannel, H4_AnAnswerThatComesFirstIsAPlainReply) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach({});
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kWait);
    channel.send(answer("{1}"));
    channel.finished();
    const auto step = channel.next(reader, true);
    EXPECT_EQ(step.kind, Kind::kReply);
    EXPECT_EQ(step.reply.text, "{1}");
}

TEST(HttpChannel, H4_ANotificationMakesItAStream) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach({});
    channel.send(note("{n}"));
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(reader, false).events, "event: message\ndata: {n}\n\n");
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kWait);
    channel.send(answer("{a}"));
    channel.finished();
    EXPECT_EQ(channel.next(reader, false).events, "event: message\ndata: {a}\n\n");
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kEnd);
}

TEST(HttpChannel, H4_PatienceEndsInAStream) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach({});
    EXPECT_EQ(channel.next(reader, true).kind, Kind::kStream);
}

TEST(HttpChannel, H4_WithoutStreamsOnlyTheAnswerIsSent) {
    HttpChannelOptions options;
    options.can_stream = false;
    HttpChannel channel{options};
    const auto reader = channel.attach({});
    EXPECT_TRUE(channel.send(note("{n}")));
    EXPECT_FALSE(channel.send(question("{q}")));
    EXPECT_EQ(channel.next(reader, true).kind, Kind::kWait);
    channel.send(answer("{a}"));
    EXPECT_EQ(channel.next(reader, true).reply.text, "{a}");
}

TEST(HttpChannel, H11_AForbiddenStreamKeepsItsAnswer) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach({});
    channel.send(note("{n}"));
    channel.send(answer("{a}"));
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kStream);
    channel.forbid_stream();
    EXPECT_EQ(channel.next(reader, false).reply.text, "{a}");
}

TEST(HttpChannel, ACancelledRequestEndsWithoutAMessage) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach({});
    channel.finished();
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kNothing);
}

TEST(HttpChannel, H9_EventsCarryStreamAndSequence) {
    HttpChannel channel{resumable(5)};
    const auto reader = channel.attach({});
    channel.send(note("{n}"));
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(reader, false).events,
              "id: 5-0\nretry: 500\ndata: \n\nid: 5-1\nevent: message\ndata: {n}\n\n");
    EXPECT_EQ(parse_event_id("5-1")->stream, 5U);
    EXPECT_EQ(parse_event_id("5-1")->sequence, 1U);
    for (const char* const bad : {"", "5", "5-", "-1", "5-1x", "a-1", "5--1",
                                  "1-18446744073709551615", "99999999999999999999-1"}) {
        EXPECT_FALSE(parse_event_id(bad).has_value()) << bad;
    }
}

TEST(HttpChannel, H9_ReplaysWhatFollowsAnEvent) {
    HttpChannel channel{resumable(1)};
    const auto first = channel.attach({});
    channel.send(note("{1}"));
    EXPECT_EQ(channel.next(first, false).kind, Kind::kStream);
    EXPECT_FALSE(channel.next(first, false).events.empty());
    channel.detach(first);
    channel.send(note("{2}"));
    channel.send(answer("{3}"));
    channel.finished();
    const auto second = channel.attach({}, 1);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(second, false).events,
              "id: 1-2\nevent: message\ndata: {2}\n\nid: 1-3\nevent: message\ndata: {3}\n\n");
    EXPECT_EQ(channel.next(second, false).kind, Kind::kEnd);
    // Again, because the client lost it once more.
    const auto third = channel.attach({}, 2);
    EXPECT_EQ(channel.next(third, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(third, false).events, "id: 1-3\nevent: message\ndata: {3}\n\n");
}

TEST(HttpChannel, H9_BreaksOffOnRequestAndGoesOnForTheNextReader) {
    HttpChannel channel{resumable(2)};
    const auto first = channel.attach({});
    channel.close_stream();
    EXPECT_EQ(channel.next(first, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(first, false).events, "id: 2-0\nretry: 500\ndata: \n\n");
    EXPECT_EQ(channel.next(first, false).kind, Kind::kEnd);
    channel.detach(first);
    const auto second = channel.attach({}, 0);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kWait);
    channel.send(answer("{a}"));
    EXPECT_EQ(channel.next(second, false).events, "id: 2-1\nevent: message\ndata: {a}\n\n");
}

TEST(HttpChannel, H9_BreaksOffEvenBeforeItsFirstReader) {
    HttpChannel channel{resumable(2)};
    channel.close_stream();
    const auto first = channel.attach({});
    EXPECT_EQ(channel.next(first, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(first, false).events, "id: 2-0\nretry: 500\ndata: \n\n");
    EXPECT_EQ(channel.next(first, false).kind, Kind::kEnd);
    channel.detach(first);
    channel.close_stream();  // there is no stream to break off now
    const auto second = channel.attach({}, 0);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kWait);
}

TEST(HttpChannel, H9_OlderRevisionsGetNoEmptyEventAndNoBreak) {
    HttpChannelOptions options = resumable(3);
    options.primed = false;
    HttpChannel channel{options};
    const auto reader = channel.attach({});
    channel.close_stream();
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kWait);
    channel.send(note("{n}"));
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(reader, false).events, "id: 3-1\nevent: message\ndata: {n}\n\n");
}

TEST(HttpChannel, H9_KeepsTheNewestEventsWithinItsLimits) {
    HttpChannel channel{resumable(4)};
    const auto reader = channel.attach({});
    EXPECT_EQ(channel.next(reader, true).kind, Kind::kStream);
    channel.detach(reader);
    const std::string big(kMaxReplayBytes / 8, 'x');
    for (int i = 0; i < 20; ++i) {
        channel.send(note(big));
    }
    EXPECT_LE(channel.buffered_bytes(), kMaxReplayBytes);
    for (std::size_t i = 0; i < 2 * kMaxReplayEvents; ++i) {
        channel.send(note("{" + std::to_string(i) + "}"));
    }
    channel.send(answer("{last}"));
    channel.finished();
    const auto second = channel.attach({}, 0);
    EXPECT_EQ(channel.next(second, false).kind, Kind::kStream);
    const std::string events = channel.next(second, false).events;
    EXPECT_NE(events.find("{last}"), std::string::npos);
    EXPECT_EQ(events.find("{0}"), std::string::npos);
}

TEST(HttpChannel, ANewReaderReplacesTheOld) {
    HttpChannel channel{resumable(1)};
    int woken = 0;
    const auto first = channel.attach([&] { ++woken; });
    const auto second = channel.attach({}, 0);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(channel.next(first, false).kind, Kind::kEnd);
    channel.detach(first);
    EXPECT_TRUE(channel.has_reader());
    EXPECT_EQ(channel.next(second, false).kind, Kind::kStream);
}

TEST(HttpChannel, H8_TheBackgroundWaitsForItsReader) {
    HttpChannelOptions options = resumable(0);
    options.standalone = true;
    HttpChannel channel{options};
    channel.send(note("{early}"));
    const auto reader = channel.attach({});
    EXPECT_EQ(channel.next(reader, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(reader, false).events,
              "id: 0-0\nretry: 500\ndata: \n\nid: 0-1\nevent: message\ndata: {early}\n\n");
    channel.detach(reader);
    channel.send(note("{missed}"));
    const auto next = channel.attach({});
    EXPECT_EQ(channel.next(next, false).kind, Kind::kStream);
    EXPECT_EQ(channel.next(next, false).events, "id: 0-2\nevent: message\ndata: {missed}\n\n");
    EXPECT_EQ(channel.next(next, false).kind, Kind::kWait);
    channel.close();
    EXPECT_EQ(channel.next(next, false).kind, Kind::kEnd);
}

TEST(HttpChannel, ClosedTakesNothingAndFinishesOnce) {
    int finished = 0;
    HttpChannelOptions options;
    options.on_finished = [&] { ++finished; };
    HttpChannel channel{options};
    channel.close();
    channel.finished();
    channel.close();
    EXPECT_FALSE(channel.send(note("{n}")));
    EXPECT_EQ(finished, 1);
}

TEST(HttpChannel, ConcurrentSenderWaitsForASlowReaderAndStopsWhenCancelled) {
    HttpChannel channel{HttpChannelOptions{}};
    const auto reader = channel.attach([] {});
    const std::string big(kMaxUnsentBytes, 'x');
    channel.send(note(big));
    EXPECT_FALSE(channel.has_room());

    const CancelSource source;
    std::thread cancelled([&] { channel.wait_for_room(source.token()); });
    source.cancel();
    cancelled.join();

    std::thread waiting([&] {
        channel.wait_for_room(CancelToken());
        channel.send(answer("{a}"));
    });
    std::string events;
    while (events.find("{a}") == std::string::npos) {
        events += channel.next(reader, true).events;
    }
    waiting.join();
    EXPECT_TRUE(channel.has_room());
}

}  // namespace
}  // namespace tb::mcp

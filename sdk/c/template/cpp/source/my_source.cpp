/*
 * A source that writes a record each interval, numbered on across restarts: change it into yours.
 *
 * Enters: the stored position, the clock. Leaves: records, each with the position that holds once it is delivered.
 */
#include <lockgate.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/* The source partition: its text is its identity. */
std::string partition_of(const std::string &topic) { return "{\"heart\":\"" + topic + "\"}"; }

class MySource {
public:
    MySource(std::string topic, milliseconds interval, long beat) : topic(std::move(topic)), interval(interval), beat(beat) {}

    lg_status poll(lg_writer *out) {
        const auto wait = std::chrono::duration_cast<milliseconds>(next - Clock::now());
        if (wait.count() > 0) {
            lg_poll_after(out, static_cast<std::uint32_t>(wait.count()));
            return LG_OK;
        }
        next = Clock::now() + interval;
        const std::string value = "{\"beat\":" + std::to_string(++beat) + "}";
        lg_write(out, lg_write_topic(out, topic.c_str()), lg_null(), lg_str(value.c_str()));
        lg_write_position(out, partition_of(topic).c_str(), value.c_str());
        lg_poll_after(out, static_cast<std::uint32_t>(interval.count()));
        return LG_OK;
    }

private:
    std::string topic;
    milliseconds interval;
    Clock::time_point next{};
    long beat;
};

lg_status open(const lg_task *task, const lg_position *positions, std::size_t count, void **self) {
    const std::string topic = lg_text(task->settings, "topic");
    const milliseconds interval(lg_long(task->settings, "interval.ms"));
    if (lg_settings_ok()) return LG_FAILED;
    long beat = 0;
    for (std::size_t at = 0; at < count; at++) {
        if (positions[at].partition != partition_of(topic)) continue;
        if (std::sscanf(positions[at].offset, "{\"beat\":%ld}", &beat) != 1)
            return lg_fatal("my.position", "%s is no position of this source", positions[at].offset);
    }
    lg_info("writing to %s after record %ld", topic.c_str(), beat);
    *self = new MySource(topic, interval, beat);
    return LG_OK;
}

const lg_config config[] = {
    {.name = "topic", .type = LG_STRING, .required = true, .documentation = "The topic to write to.", .importance = LG_HIGH},
    {.name = "interval.ms", .type = LG_LONG, .default_value = "1000", .documentation = "Milliseconds between two records."},
    {},
};

const lg_source source = {
    .about = {
        .class_name = "com.example.MySource",
        .documentation = "Writes a record each interval.",
        .config = config,
        .encodings = {LG_JSON},
    },
    .open = open,
    .poll = [](void *self, lg_writer *out) { return static_cast<MySource *>(self)->poll(out); },
    .close = [](void *self) {
        delete static_cast<MySource *>(self);
        return LG_OK;
    },
};
const lg_source *const sources[] = {&source, nullptr};

} // namespace

extern const lg_package lockgate_package = {.name = "my-source", .version = "0.1.0", .sources = sources};

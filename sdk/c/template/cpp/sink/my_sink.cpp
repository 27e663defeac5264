/*
 * A sink that appends records to a file as `topic<TAB>key<TAB>value`: change it into yours.
 *
 * Enters: batches. Leaves: lines. Invariant: an offset is agreed to once its lines are on the disk.
 */
#include <lockgate.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

class MySink {
public:
    MySink(std::FILE *file, std::string separator) : file(file), separator(std::move(separator)) {}

    lg_status put(const lg_batch *batch, lg_report *report) {
        std::string lines;
        for (std::size_t at = 0; at < batch->count; at++) {
            const lg_record record = lg_at(batch, at);
            if (!lg_value(record).ptr) {
                lg_bad_row(report, at, "my.tombstone", "this sink cannot delete");
                continue;
            }
            lines.append(lg_topic(record)).append(separator).append(text(lg_key(record))).append(separator);
            lines.append(text(lg_value(record))).push_back('\n');
        }
        lg_count("my_batches", 1);
        const bool written = std::fwrite(lines.data(), 1, lines.size(), file) == lines.size();
        return written ? LG_OK : lg_fatal("my.write", "writing failed: %s", std::strerror(errno));
    }

    lg_status sync() {
        if (std::fflush(file) || fsync(fileno(file))) return lg_fatal("my.sync", "syncing failed: %s", std::strerror(errno));
        return LG_OK;
    }

    lg_status close() { return std::fclose(file) ? lg_fatal("my.close", "closing failed: %s", std::strerror(errno)) : LG_OK; }

private:
    static std::string_view text(lg_bytes bytes) { return {reinterpret_cast<const char *>(bytes.ptr), bytes.ptr ? bytes.len : 0}; }

    std::FILE *file;
    std::string separator;
};

lg_status open(const lg_task *task, void **self) {
    const char *path = lg_text(task->settings, "file"), *separator = lg_text(task->settings, "separator");
    if (lg_settings_ok()) return LG_FAILED;
    std::FILE *file = std::fopen(path, "a");
    if (!file) return lg_fatal("my.open", "cannot open %s: %s", path, std::strerror(errno));
    lg_info("writing to %s", path);
    *self = new MySink(file, separator);
    return LG_OK;
}

const lg_config config[] = {
    {.name = "file", .type = LG_STRING, .required = true, .documentation = "Absolute path of the file.", .importance = LG_HIGH},
    {.name = "separator", .type = LG_STRING, .default_value = "\t", .documentation = "What stands between the columns."},
    {},
};
const lg_request requests[] = {{LG_ASKS_WRITE, "{file}"}, {}};

const lg_sink sink = {
    .about = {
        .class_name = "com.example.MySink",
        .documentation = "Appends records to a file.",
        .config = config,
        .encodings = {LG_JSON, LG_BYTES},
        .requests = requests,
    },
    .open = open,
    .put = [](void *self, const lg_batch *batch, lg_report *report) { return static_cast<MySink *>(self)->put(batch, report); },
    .prepare_commit = [](void *self, lg_place *, std::size_t *) { return static_cast<MySink *>(self)->sync(); },
    .close = [](void *self) {
        MySink *mine = static_cast<MySink *>(self);
        const lg_status closed = mine->close();
        delete mine;
        return closed;
    },
};
const lg_sink *const sinks[] = {&sink, nullptr};

} // namespace

extern const lg_package lockgate_package = {.name = "my-sink", .version = "0.1.0", .sinks = sinks};

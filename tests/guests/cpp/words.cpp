/*
 * A transform in C++20, through sdk/c: words of a text in their order, each once.
 *
 * Enters: records. Leaves: their values with sorted words. Invariant: what the language brings along (containers, views, lambdas) works
 * in the sandbox.
 */
#include <lockgate.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace {

struct words {
    std::string separator;

    lg_flow apply(lg_edit *record) const {
        const lg_bytes value = lg_edit_value(record);
        if (!value.ptr) return LG_KEEP;
        std::istringstream in(std::string(reinterpret_cast<const char *>(value.ptr), value.len));
        std::set<std::string> sorted;
        for (std::string word; in >> word;) sorted.insert(word);
        if (sorted.empty()) return lg_fail(record, "words.none", "there is no word in it");
        std::string out;
        for (const auto &word : sorted) out += (out.empty() ? "" : separator) + word;
        lg_edit_set_value(record, lg_bytes{reinterpret_cast<const uint8_t *>(out.data()), out.size()});
        return LG_KEEP;
    }
};

const lg_config config[] = {{.name = "separator", .type = LG_STRING, .default_value = " ", .documentation = "Between two words."}, {}};

const lg_transform transform = {
    .about = {.class_name = "com.example.Words", .documentation = "Sorts words.", .config = config},
    .open = [](const lg_task *step, void **self) {
        *self = std::make_unique<words>(words{lg_text(step->settings, "separator")}).release();
        return lg_settings_ok();
    },
    .apply = [](void *self, lg_edit *record) { return static_cast<words *>(self)->apply(record); },
    .close = [](void *self) { delete static_cast<words *>(self); },
};

const lg_transform *const transforms[] = {&transform, nullptr};

} // namespace

extern const lg_package lockgate_package = {.name = "words-cpp", .version = "0.1.0", .transforms = transforms};

/*
 * JSON, read once from left to right, without a tree: what is not hidden is copied as it stands, piece by piece.
 *
 * Enters: JSON text and rules. Leaves: the redacted text, or nothing if there was nothing to redact, or where it is not JSON. Invariant: a
 * name and a text are compared as what they mean, however they are escaped; a member that occurs twice is hidden twice; levels are bounded.
 */
#include "redact.h"

/* A path that has come this far. */
typedef struct state {
    uint8_t path, step;
} state;

#define STATES_MAX 4096

typedef struct scan {
    rules *r;
    const uint8_t *p;
    size_t at, end, copied, level;
    bool typed, hidden;
    state states[STATES_MAX];
    size_t state_count;
} scan;

/* One set of states for each level, one behind the other. */
static scan s;

static bool value(size_t first, bool hide_it);

static void blank(void) {
    while (s.at < s.end && (s.p[s.at] == ' ' || s.p[s.at] == '\n' || s.p[s.at] == '\r' || s.p[s.at] == '\t')) s.at++;
}

static bool push(uint8_t path, uint8_t step) {
    if (s.state_count == STATES_MAX) return false;
    s.states[s.state_count++] = (state){path, step};
    return true;
}

static int hex_digit(uint8_t b) {
    if (b >= '0' && b <= '9') return b - '0';
    b |= 32;
    return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* Length of the UTF-8 character that begins here (RFC 3629), or 0. */
static size_t character(const uint8_t *p, size_t left) {
    if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (left < len || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return len;
}

/* True if none of eight bytes ends a string, escapes, controls or begins a longer character. */
static bool is_plain(const uint8_t *p) {
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t eight, quotes, slashes;
    memcpy(&eight, p, sizeof eight);
    quotes = eight ^ ones * '"';
    slashes = eight ^ ones * '\\';
    return !((eight | ((eight - ones * 0x20) & ~eight) | ((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes)) & tops);
}

/* Reads a string at its first quote: what stands between the quotes; `escaped` if there is a backslash in it. */
static bool string(lg_bytes *content, bool *escaped) {
    size_t begin = ++s.at;
    *escaped = false;
    while (s.at < s.end) {
        while (s.end - s.at >= 8 && is_plain(s.p + s.at)) s.at += 8;
        if (s.at == s.end) break;
        uint8_t b = s.p[s.at];
        if (b == '"') {
            *content = (lg_bytes){s.p + begin, s.at - begin};
            s.at++;
            return true;
        }
        if (b >= 0x80) {
            size_t len = character(s.p + s.at, s.end - s.at);
            if (!len) return false;
            s.at += len;
        } else if (b == '\\') {
            *escaped = true;
            if (++s.at == s.end || !strchr("\"\\/bfnrtu", s.p[s.at]) || !s.p[s.at]) return false;
            if (s.p[s.at++] == 'u')
                for (size_t i = 0; i < 4; i++)
                    if (s.at == s.end || hex_digit(s.p[s.at++]) < 0) return false;
        } else if (b < 0x20) {
            return false;
        } else {
            s.at++;
        }
    }
    return false;
}

static unsigned four_digits(const uint8_t *p) {
    return (unsigned)(hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]));
}

/* Adds a character; half of a pair that stands alone is written as if it were one (three bytes), and read back by `quote`. */
static void add_character(text *to, unsigned c) {
    if (c < 0x80) {
        text_byte(to, (uint8_t)c);
    } else if (c < 0x800) {
        text_byte(to, (uint8_t)(0xc0 | c >> 6));
        text_byte(to, (uint8_t)(0x80 | (c & 63)));
    } else {
        if (c < 0x10000) {
            text_byte(to, (uint8_t)(0xe0 | c >> 12));
        } else {
            text_byte(to, (uint8_t)(0xf0 | c >> 18));
            text_byte(to, (uint8_t)(0x80 | (c >> 12 & 63)));
        }
        text_byte(to, (uint8_t)(0x80 | (c >> 6 & 63)));
        text_byte(to, (uint8_t)(0x80 | (c & 63)));
    }
}

/* What a string with backslashes means. Its escapes were checked. */
static lg_bytes plain(lg_bytes content, text *to) {
    static const char from[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const uint8_t *p = content.ptr;
    to->len = 0;
    for (size_t i = 0; i < content.len; i++) {
        if (p[i] != '\\') {
            text_byte(to, p[i]);
        } else if (p[++i] == 'u') {
            unsigned c = four_digits(p + i + 1);
            i += 4;
            if (c >= 0xd800 && c < 0xdc00 && i + 6 < content.len && p[i + 1] == '\\' && p[i + 2] == 'u') {
                unsigned low = four_digits(p + i + 3);
                if (low >= 0xdc00 && low < 0xe000) {
                    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                    i += 6;
                }
            }
            add_character(to, c);
        } else {
            const char *found = strchr(from, p[i]);
            text_byte(to, found ? (uint8_t)meant[found - from] : p[i]);
        }
    }
    return (lg_bytes){to->len ? to->ptr : (const uint8_t *)"", to->len};
}

/* Writes a text as a JSON string. */
static void quote(text *to, lg_bytes content) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = content.ptr;
    text_byte(to, '"');
    for (size_t i = 0; i < content.len; i++) {
        unsigned c = p[i];
        bool lone = c == 0xed && i + 2 < content.len && p[i + 1] >= 0xa0;
        if (lone) {
            c = 0xd000 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u);
            i += 2;
        }
        if (c < 0x20 || lone) {
            const uint8_t escape[6] = {'\\', 'u', (uint8_t)digits[c >> 12], (uint8_t)digits[c >> 8 & 15], (uint8_t)digits[c >> 4 & 15],
                                       (uint8_t)digits[c & 15]};
            text_add(to, escape, sizeof escape);
        } else {
            if (c == '"' || c == '\\') text_byte(to, '\\');
            text_byte(to, p[i]);
        }
    }
    text_byte(to, '"');
}

/* Copies what stands before `from`, and goes on behind what was read. */
static text *splice(size_t from) {
    text_add(&s.r->out, s.p + s.copied, from - s.copied);
    s.copied = s.at;
    s.hidden = true;
    return &s.r->out;
}

static void hide_text(size_t begin, lg_bytes secret) {
    text *part = &s.r->part;
    part->len = 0;
    hide(s.r, secret, false, part);
    quote(splice(begin), (lg_bytes){part->ptr, part->len});
}

static bool string_value(bool hide_it) {
    size_t begin = s.at;
    lg_bytes content;
    bool escaped;
    if (!string(&content, &escaped)) return false;
    if (!hide_it && !s.r->patterns) return true;
    if (escaped) content = plain(content, &s.r->plain);
    if (hide_it) {
        hide_text(begin, content);
        return true;
    }
    s.r->part.len = 0;
    if (hide_patterns(s.r, content, &s.r->part)) quote(splice(begin), (lg_bytes){s.r->part.ptr, s.r->part.len});
    return true;
}

static size_t digits(void) {
    size_t begin = s.at;
    while (s.at < s.end && s.p[s.at] >= '0' && s.p[s.at] <= '9') s.at++;
    return s.at - begin;
}

/* Something that is no text: hidden as text, or, where a schema gives its type, as nothing of that type. */
static void hide_token(size_t begin, const char *nothing) {
    lg_bytes token = {s.p + begin, s.at - begin};
    if (s.typed) text_add(splice(begin), nothing, strlen(nothing));
    else hide_text(begin, token);
}

static bool number_value(bool hide_it) {
    size_t begin = s.at;
    if (s.p[s.at] == '-') s.at++;
    size_t first = s.at, whole = digits();
    if (!whole || (whole > 1 && s.p[first] == '0')) return false;
    if (s.at < s.end && s.p[s.at] == '.' && (s.at++, !digits())) return false;
    if (s.at < s.end && (s.p[s.at] | 32) == 'e') {
        s.at++;
        if (s.at < s.end && (s.p[s.at] == '+' || s.p[s.at] == '-')) s.at++;
        if (!digits()) return false;
    }
    if (hide_it || (s.r->patterns & CARD && is_card(s.p + begin, s.at - begin))) hide_token(begin, "0");
    return true;
}

static bool word_value(bool hide_it, const char *word) {
    size_t begin = s.at, len = strlen(word);
    if (s.end - s.at < len || memcmp(s.p + s.at, word, len) != 0) return false;
    s.at += len;
    if (hide_it && word[0] != 'n') hide_token(begin, "false");
    return true;
}

static bool name_is(const step *wanted, lg_bytes name) {
    return name.len == wanted->name_len && memcmp(name.ptr, wanted->name, name.len) == 0;
}

/* The states of a member or an element, from those of what holds it; `*whole` if a path ends here. */
static bool advance(size_t first, size_t last, const lg_bytes *name, size_t index, bool *whole) {
    for (size_t i = first; i < last; i++) {
        state from = s.states[i];
        const path *p = &s.r->paths[from.path];
        const step *next = &p->steps[from.step];
        uint8_t to = from.step;
        if (next->kind == DEEP) {
            if (!push(from.path, to)) return false;
            next = &p->steps[++to];
        }
        bool matches = name ? next->kind == ANY_FIELD || (next->kind == FIELD && name_is(next, *name))
                            : next->kind == ANY_ELEMENT || (next->kind == ELEMENT && next->index == index);
        if (!matches) continue;
        if ((size_t)to + 1 == p->count) *whole = true;
        else if (!push(from.path, to + 1)) return false;
    }
    return true;
}

/* A member's or an element's value, with the states that it gets. */
static bool inner(size_t first, size_t last, const lg_bytes *name, size_t index, bool hide_it) {
    size_t own = s.state_count;
    if (!hide_it && !advance(first, last, name, index, &hide_it)) return false;
    bool good = value(own, hide_it);
    s.state_count = own;
    return good;
}

static bool object(size_t first, bool hide_it) {
    size_t last = s.state_count;
    s.at++;
    blank();
    if (s.at < s.end && s.p[s.at] == '}') return s.at++, true;
    for (;;) {
        lg_bytes name;
        bool escaped;
        if (s.at == s.end || s.p[s.at] != '"' || !string(&name, &escaped)) return false;
        if (escaped && last > first) name = plain(name, &s.r->plain);
        blank();
        if (s.at == s.end || s.p[s.at++] != ':') return false;
        blank();
        if (!inner(first, last, &name, 0, hide_it)) return false;
        blank();
        if (s.at == s.end) return false;
        uint8_t b = s.p[s.at++];
        if (b == '}') return true;
        if (b != ',') return false;
        blank();
    }
}

static bool array(size_t first, bool hide_it) {
    size_t last = s.state_count;
    s.at++;
    blank();
    if (s.at < s.end && s.p[s.at] == ']') return s.at++, true;
    for (size_t index = 0;; index++) {
        if (!inner(first, last, NULL, index, hide_it)) return false;
        blank();
        if (s.at == s.end) return false;
        uint8_t b = s.p[s.at++];
        if (b == ']') return true;
        if (b != ',') return false;
        blank();
    }
}

/* An object or an array. Hidden as a whole where no schema holds it: then what was spliced within is given up. */
static bool compound(size_t first, bool hide_it) {
    size_t begin = s.at, out_len = s.r->out.len, copied = s.copied;
    bool is_object = s.p[s.at] == '{', hidden = s.hidden;
    if (s.level++ == LEVELS_MAX) return false;
    bool good = is_object ? object(first, hide_it && s.typed) : array(first, hide_it && s.typed);
    s.level--;
    if (good && hide_it && !s.typed) {
        s.r->out.len = out_len;
        s.copied = copied;
        s.hidden = hidden;
        hide_text(begin, (lg_bytes){s.p + begin, s.at - begin});
    }
    return good;
}

/* A value whose states begin at `first` and end where all end. */
static bool value(size_t first, bool hide_it) {
    if (s.at == s.end) return false;
    switch (s.p[s.at]) {
    case '{':
    case '[': return compound(first, hide_it);
    case '"': return string_value(hide_it);
    case 't': return word_value(hide_it, "true");
    case 'f': return word_value(hide_it, "false");
    case 'n': return word_value(hide_it, "null");
    default: return number_value(hide_it);
    }
}

long redact_json(rules *r, lg_bytes json, bool typed) {
    bool whole = false;
    s.r = r;
    s.p = json.ptr;
    s.at = s.copied = s.level = s.state_count = 0;
    s.end = json.len;
    s.typed = typed;
    s.hidden = false;
    r->out.len = 0;
    for (size_t at = 0; at < r->path_count; at++) {
        if (!r->paths[at].count) whole = true;
        else push((uint8_t)at, 0);
    }
    blank();
    if (!value(0, whole)) return 1 + (long)s.at;
    blank();
    if (s.at != s.end) return 1 + (long)s.at;
    if (!s.hidden) return -1;
    text_add(&r->out, s.p + s.copied, s.end - s.copied);
    return 0;
}

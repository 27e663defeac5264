/*
 * Card numbers, e-mail addresses, IBANs and IP addresses in a text.
 *
 * Enters: text. Leaves: the same with what was found hidden. Invariant: a number that is part of a longer word or number is none; a card
 * number passes Luhn's check, an IBAN that of ISO 7064 (mod 97-10) and its country's length.
 */
#include "redact.h"

static bool is_digit(uint8_t b) { return b >= '0' && b <= '9'; }
static bool is_letter(uint8_t b) { return (b | 32) >= 'a' && (b | 32) <= 'z'; }
static bool is_word(uint8_t b) { return is_digit(b) || is_letter(b) || b >= 0x80; }
static bool is_hex(uint8_t b) { return is_digit(b) || ((b | 32) >= 'a' && (b | 32) <= 'f'); }

bool is_card(const uint8_t *digits, size_t len) {
    unsigned sum = 0;
    if (len < 13 || len > 19 || digits[0] == '0') return false;
    for (size_t at = 0; at < len; at++) {
        if (!is_digit(digits[at])) return false;
        unsigned d = digits[at] - '0', twice = 2 * d;
        sum += (len - at) % 2 ? d : twice > 9 ? twice - 9 : twice;
    }
    return sum % 10 == 0;
}

/* The end of a card number that begins here, or 0: digits, each group parted by one space or hyphen. */
static size_t card_at(const uint8_t *p, size_t at, size_t end) {
    uint8_t digits[20];
    size_t len = 0, i = at, stop = 0;
    if (at && (is_word(p[at - 1]) || (at > 1 && (p[at - 1] == '-' || p[at - 1] == '.') && is_digit(p[at - 2])))) return 0;
    while (i < end && len < 20) {
        if (is_digit(p[i])) {
            digits[len++] = p[i++];
            bool over = i == end || (!is_word(p[i]) && !((p[i] == '-' || p[i] == '.') && i + 1 < end && is_digit(p[i + 1])));
            if (over && is_card(digits, len)) stop = i;
        } else if ((p[i] == ' ' || p[i] == '-') && i + 1 < end && is_digit(p[i + 1])) {
            i++;
        } else {
            break;
        }
    }
    return stop;
}

/* The end of an IPv4 address that begins here, or 0. */
static size_t ip4_at(const uint8_t *p, size_t at, size_t end) {
    size_t i = at;
    if (at && (is_word(p[at - 1]) || (p[at - 1] == '.' && at > 1 && is_word(p[at - 2])))) return 0;
    for (unsigned group = 0; group < 4; group++) {
        unsigned value = 0, digits = 0;
        if (group && (i == end || p[i++] != '.')) return 0;
        for (; i < end && is_digit(p[i]) && digits < 4; digits++) value = 10 * value + (p[i++] - '0');
        if (!digits || digits > 3 || value > 255) return 0;
    }
    bool goes_on = i < end && (is_word(p[i]) || (p[i] == '.' && i + 1 < end && is_digit(p[i + 1])));
    return goes_on ? 0 : i;
}

/* The end of an IPv6 address that begins here, or 0: eight groups, or fewer around one `::`; the last may be an IPv4 address. */
static size_t ip6_at(const uint8_t *p, size_t at, size_t end) {
    size_t i = at, groups = 0;
    bool gap = false, colon = false;
    if (at && (is_word(p[at - 1]) || p[at - 1] == ':')) return 0;
    while (i < end && groups < 8) {
        if (p[i] == ':' && i + 1 < end && p[i + 1] == ':') {
            if (gap || (colon && groups)) return 0;
            gap = colon = true;
            i += 2;
            continue;
        }
        if (!is_hex(p[i])) break;
        if (groups && !colon) return 0;
        size_t four = groups || gap ? ip4_at(p, i, end) : 0, begin = i;
        if (four) {
            i = four;
            groups += 2;
            colon = false;
            break;
        }
        while (i < end && is_hex(p[i]) && i - begin < 5) i++;
        if (i - begin > 4) return 0;
        groups++;
        colon = false;
        if (i + 1 < end && p[i] == ':' && is_hex(p[i + 1]) && groups < 8) {
            colon = true;
            i++;
        }
    }
    if (i < end && (is_word(p[i]) || (p[i] == ':' && i + 1 < end && (is_word(p[i + 1]) || p[i + 1] == ':')))) return 0;
    return groups > 0 && (gap ? groups < 8 : groups == 8) ? i : 0;
}

/* Country and length, as the registry of ISO 13616 has them. */
static const char ibans[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28"
    "HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29"
    "PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static size_t iban_length(uint8_t a, uint8_t b) {
    for (const char *c = ibans; *c; c += 4)
        if (c[0] == (a & ~32) && c[1] == (b & ~32)) return (size_t)(c[2] - '0') * 10 + (size_t)(c[3] - '0');
    return 0;
}

/* The end of an IBAN that begins here, or 0; single spaces may stand in it. */
static size_t iban_at(const uint8_t *p, size_t at, size_t end) {
    uint8_t all[34];
    size_t len = 0, i = at;
    if (end - at < 15 || !is_letter(p[at + 1]) || !is_digit(p[at + 2]) || !is_digit(p[at + 3])) return 0;
    if (at && is_word(p[at - 1])) return 0;
    size_t wanted = iban_length(p[at], p[at + 1]);
    while (len < wanted) {
        if (i < end && p[i] == ' ' && len) i++;
        if (i >= end || !(is_digit(p[i]) || is_letter(p[i]))) return 0;
        all[len++] = p[i++];
    }
    if (!wanted || (i < end && is_word(p[i]))) return 0;
    unsigned rest = 0;
    for (size_t k = 0; k < len; k++) {
        uint8_t b = all[(k + 4) % len];
        rest = is_digit(b) ? (10 * rest + (b - '0')) % 97 : (100 * rest + (unsigned)((b | 32) - 'a' + 10)) % 97;
    }
    return rest == 1 ? i : 0;
}

static bool is_local(uint8_t b) { return is_word(b) || (b && strchr(".!#$%&'*+/=?^_`{|}~-", b)); }

/* An e-mail address around the @ at `at`: where it begins and ends; false if there is none. */
static bool email_around(const uint8_t *p, size_t from, size_t at, size_t end, size_t *begin, size_t *stop) {
    size_t first = at, last = at + 1, dot = 0;
    while (first > from && is_local(p[first - 1])) first--;
    while (first < at && p[first] == '.') first++;
    while (last < end && (is_word(p[last]) || p[last] == '-' || p[last] == '.')) {
        if (p[last] == '.') dot = last;
        last++;
    }
    while (last > at + 1 && !is_word(p[last - 1])) {
        last--;
        dot = 0;
        for (size_t i = at + 1; i < last; i++)
            if (p[i] == '.') dot = i;
    }
    *begin = first;
    *stop = last;
    return first < at && dot > at + 1 && last - dot > 2;
}

/* The end of what begins here; `tight` if separators do not count in it. */
static size_t found_at(unsigned patterns, const uint8_t *p, size_t at, size_t end, bool *tight) {
    size_t stop = 0;
    *tight = false;
    if (is_digit(p[at])) {
        if (patterns & CARD && (stop = card_at(p, at, end))) return *tight = true, stop;
        if (patterns & IP && (stop = ip4_at(p, at, end))) return stop;
    }
    if (patterns & IBAN && is_letter(p[at]) && (stop = iban_at(p, at, end))) return *tight = true, stop;
    if (patterns & IP && (is_hex(p[at]) || p[at] == ':')) return ip6_at(p, at, end);
    return 0;
}

bool hide_patterns(rules *r, lg_bytes from, text *to) {
    const uint8_t *p = from.ptr;
    size_t copied = 0;
    unsigned patterns = r->patterns;
    bool starts = true; /* of a word: nothing begins within one */
    if (!(patterns & EMAIL) && from.len < 3) return false;
    for (size_t at = 0; at < from.len; at++) {
        size_t begin = at, stop = 0;
        bool tight = false;
        if (p[at] == '@') {
            if (!(patterns & EMAIL) || !email_around(p, copied, at, from.len, &begin, &stop)) stop = 0;
        } else if (starts && (is_word(p[at]) || p[at] == ':')) {
            stop = found_at(patterns, p, at, from.len, &tight);
        }
        starts = !is_word(p[at]);
        if (!stop) continue;
        text_add(to, p + copied, begin - copied);
        hide(r, (lg_bytes){p + begin, stop - begin}, tight, to);
        copied = stop;
        at = stop - 1;
        starts = false;
    }
    if (!copied) return false;
    text_add(to, p + copied, from.len - copied);
    return true;
}

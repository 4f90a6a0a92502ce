#include "report/profile/stack_filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "store/base/cleanup.h"

enum word { FOCUS, IGNORE, HIDE, WORDS };

static const char *const options[WORDS] = {"--focus", "--ignore", "--hide"};

struct filtering {
    const struct profile *profile;
    struct store_reader *reader;
    regex_t patterns[WORDS];
    bool has[WORDS];
    uint8_t *of_labels; // a bit for each word that the label matches
    uint8_t *of_nodes;  // a bit for each word that it or a caller of it matches; NEEDED
    uint32_t *places;   // of nodes, in the new profile
    struct profile *made;
};

#define NEEDED 0x80u

static void filtering__release(struct filtering *filtering)
{
    for (int word = 0; word < WORDS; word++)
        if (filtering->has[word])
            regfree(&filtering->patterns[word]);
    free(filtering->of_labels);
    free(filtering->of_nodes);
    free(filtering->places);
    profile__free(filtering->made);
}

static int compile(const struct stack_filter *filter, struct filtering *filtering, struct fault *fault)
{
    const char *const texts[WORDS] = {filter->focus, filter->ignore, filter->hide};
    for (int word = 0; word < WORDS; word++) {
        if (!texts[word])
            continue;
        char why[128];
        int error = regcomp(&filtering->patterns[word], texts[word], REG_EXTENDED | REG_NOSUB);
        if (error == REG_ESPACE)
            return -ENOMEM;
        if (error) {
            regerror(error, &filtering->patterns[word], why, sizeof(why));
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "%s '%s' is no extended regular expression: %s",
                                   options[word], texts[word], why);
        }
        filtering->has[word] = true;
    }
    return 0;
}

bool stack_filter__is_set(const struct stack_filter *filter)
{
    return filter->focus || filter->ignore || filter->hide;
}

int stack_filter__check(const struct stack_filter *filter, struct fault *fault)
{
    _cleanup_(filtering__release) struct filtering filtering = {0};
    return compile(filter, &filtering, fault);
}

static uint8_t match_name(const struct filtering *filtering, const char *name)
{
    uint8_t matched = 0;
    for (int word = 0; word < WORDS; word++)
        if (filtering->has[word] && regexec(&filtering->patterns[word], name, 0, NULL, 0) == 0)
            matched |= (uint8_t)(1u << word);
    return matched;
}

// The label of a profile by frame stands for all functions of the frame's chain.
static uint8_t match_frame(const struct filtering *filtering, const struct store_frame *frame)
{
    uint8_t matched = 0;
    for (size_t i = 0; i < frame->chain_length; i++)
        matched |= match_name(filtering, frame->chain[i].function);
    return matched;
}

static void match_labels(struct filtering *filtering)
{
    for (uint32_t i = 0; i < profile__label_count(filtering->profile); i++) {
        const struct label *label = profile__label(filtering->profile, i);
        const struct store_frame *frame = label->frame ? store_reader__frame(filtering->reader, label->frame) : NULL;
        if (label->kind == LABEL_ROOT)
            continue;
        filtering->of_labels[i] =
            frame && frame->chain_length ? match_frame(filtering, frame) : match_name(filtering, label->name);
    }
}

static bool is_shown(const struct filtering *filtering, uint32_t node)
{
    uint8_t matched = filtering->of_nodes[node];
    return (!filtering->has[FOCUS] || matched & 1u << FOCUS) && !(matched & 1u << IGNORE);
}

static bool has_weight(const struct filtering *filtering, uint32_t node)
{
    for (unsigned side = 0; side < profile__options(filtering->profile)->sides; side++) {
        const struct profile_weight *self = profile__self(filtering->profile, side, node);
        if (self->samples || self->value)
            return true;
    }
    return false;
}

// Parents stand before their children: down for what a node's callers match, up for the nodes that something shown
// needs.
static void match_nodes(struct filtering *filtering)
{
    const struct profile *profile = filtering->profile;
    uint32_t count = profile__node_count(profile);
    for (uint32_t node = 1; node < count; node++)
        filtering->of_nodes[node] = filtering->of_labels[profile__label_of(profile, node)] |
                                    filtering->of_nodes[profile__parent(profile, node)];
    for (uint32_t node = count; node-- > 1;)
        if (filtering->of_nodes[node] & NEEDED || (is_shown(filtering, node) && has_weight(filtering, node))) {
            filtering->of_nodes[node] |= NEEDED;
            filtering->of_nodes[profile__parent(profile, node)] |= NEEDED;
        }
}

static int copy_node(struct filtering *filtering, uint32_t node)
{
    const struct profile *profile = filtering->profile;
    uint32_t label = profile__label_of(profile, node), place = filtering->places[profile__parent(profile, node)];
    int err = 0;
    if (!(filtering->of_labels[label] & 1u << HIDE)) {
        err = profile__keep_label(filtering->made, profile__label(profile, label), &label);
        if (!err)
            err = profile__child(filtering->made, place, label, &place);
    }
    if (err)
        return err;
    filtering->places[node] = place;
    for (unsigned side = 0; is_shown(filtering, node) && side < profile__options(profile)->sides; side++) {
        const struct profile_weight *self = profile__self(profile, side, node);
        profile__count(filtering->made, side, place, self->samples, self->value);
    }
    return 0;
}

int stack_filter__apply(const struct stack_filter *filter, const struct profile *profile, struct store_reader *reader,
                        struct fault *fault, struct profile **ret_profile)
{
    _cleanup_(filtering__release) struct filtering filtering = {.profile = profile, .reader = reader};
    uint32_t count = profile__node_count(profile);
    int err = compile(filter, &filtering, fault);
    if (!err)
        err = profile__new(profile__options(profile), &filtering.made);
    if (err)
        return err;
    filtering.of_labels = calloc(profile__label_count(profile), 1);
    filtering.of_nodes = calloc(count, 1);
    filtering.places = calloc(count, sizeof(*filtering.places));
    if (!filtering.of_labels || !filtering.of_nodes || !filtering.places)
        return -ENOMEM;
    match_labels(&filtering);
    match_nodes(&filtering);
    for (uint32_t node = 1; node < count && !err; node++)
        if (filtering.of_nodes[node] & NEEDED)
            err = copy_node(&filtering, node);
    if (err)
        return err;
    *ret_profile = take_pointer(filtering.made);
    return 0;
}

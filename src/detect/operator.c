#include "detect/operator.h"

const struct operator_kind *operator_of(enum rule_kind kind)
{
    switch (kind) {
    case RULE_ABSENT:
        return &operator_absence;
    case RULE_SILENCE:
        return &operator_silence;
    case RULE_CORRELATION:
        return &operator_correlation;
    case RULE_NEW:
        return &operator_new;
    case RULE_USUAL:
        return &operator_usual;
    case RULE_RISK:
        return &operator_risk;
    case RULE_MATCH:
    case RULE_FILTER:
        break;
    }
    return NULL;
}

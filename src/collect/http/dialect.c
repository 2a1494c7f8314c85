#include "collect/http/dialect.h"

#define DIALECT(name) extern const struct dialect dialect_##name;
#include "collect/http/dialects.def"
#undef DIALECT

const struct dialect *const dialects[] = {
#define DIALECT(name) &dialect_##name,
#include "collect/http/dialects.def"
#undef DIALECT
    NULL,
};

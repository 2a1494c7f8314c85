#include <stdio.h>

int main(void)
{
    puts("hinomi " HINOMI_VERSION);
    return 0;
}

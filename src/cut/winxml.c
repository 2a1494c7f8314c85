#include "cut/winxml.h"

#include "cut/winevent.h"
#include "cut/xml_scan.h"

int cut_winxml(struct columns *columns, struct slice xml, struct batch *batch, uint32_t row,
               bool *left, struct err *err)
{
    struct xml_scan scan = {.text = xml};
    struct winevent event = {.columns = columns, .batch = batch, .row = row, .err = err};
    struct xml_token token;
    int result = 0;
    columns_begin(columns, batch);
    do {
        xml_next(&scan, &token);
        switch (token.kind) {
        case XML_OPEN:
            result = winevent_open(&event, token.name);
            break;
        case XML_ATTRIBUTE:
            result = winevent_attribute(&event, token.name, token.text, token.escaped);
            break;
        case XML_TEXT:
            result = winevent_text(&event, token.text, token.escaped);
            break;
        case XML_CLOSE:
            result = winevent_close(&event);
            break;
        case XML_BAD:
            result =
                err_set(err, ERR_INPUT, "the XML is broken at byte %zu: %s", scan.at, scan.why);
            break;
        case XML_DONE:
            break;
        }
    } while (result == 0 && token.kind != XML_DONE);
    *left |= event.left;
    return result;
}

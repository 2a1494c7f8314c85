import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Asks the gate of a Hinomi on the same machine whether something may go ahead (docs/gate.md), over its Unix socket
 * (docs/format/gate-socket.md). One file, nothing but the standard library (Java 17).
 *
 * <pre>
 * try (var gate = new HinomiGate(Path.of("/run/hinomi/gate"), 50, "withdrawal BTC 0.01", Path.of("/var/lib/exchange/gate.spool"))) {
 *     var answer = gate.decide(new HinomiGate.Request("W1", "withdrawal").account("u1").asset("BTC").amount("0.5"));
 *     if (answer.allowed()) ...
 * }
 * </pre>
 *
 * In doubt the answer is hold. When nobody answers within the time, or what comes is no answer, the fail table decides: lines of
 * "action asset at-most", * fits any, the first that fits; nothing fits: hold. What it decided is written to the spool before it is
 * returned (no spool, or one that cannot be written: hold), and told to the gate when it is back.
 *
 * One at a time for each object; make one for each thread.
 */
public final class HinomiGate implements AutoCloseable {
    private static final int ASK = 1, ANSWER = 2, CHECK = 3, CHECKED = 4, REPORT = 5, REPORTED = 6;
    private static final int ASK_MAX = 64, BODY_MAX = 1 << 20;
    private static final List<String> DECISIONS = List.of("allow", "hold", "deny");

    /** What is asked. amount is a decimal, exactly as written; at and expiry are ns since 1970, 0: none; payload may be missing. */
    public static final class Request {
        private final String requestId, action;
        private String account = "", asset = "", amount = "", wallet = "", destination = "", nonce = "";
        private long at, expiry;
        private byte[] payload = {};

        public Request(String requestId, String action) {
            this.requestId = requestId;
            this.action = action;
        }

        public Request account(String value) { account = value; return this; }
        public Request asset(String value) { asset = value; return this; }
        public Request amount(String value) { amount = value; return this; }
        public Request wallet(String value) { wallet = value; return this; }
        public Request destination(String value) { destination = value; return this; }
        public Request nonce(String value) { nonce = value; return this; }
        public Request at(long value) { at = value; return this; }
        public Request expiry(long value) { expiry = value; return this; }
        public Request payload(byte[] value) { payload = value.clone(); return this; }

        /** The bytes of docs/gate.md. */
        public byte[] canonical() {
            var to = new Writer();
            for (String text : new String[] {requestId, action, account, asset, amount, wallet, destination, Long.toString(at), nonce, Long.toString(expiry)})
                to.block(text.getBytes(StandardCharsets.UTF_8));
            if (payload.length > 0)
                to.block(payload);
            return to.bytes();
        }
    }

    /**
     * What may be done. alone: nobody answered and the fail table decided, row is its line. refused: the request itself is wrong, the
     * reasons say why, and the decision is hold.
     */
    public record Answer(String decision, String row, String id, String incident, String policyVersion, String token, long at, long tokenExpiry,
                         boolean shadow, boolean refused, boolean alone, List<String> reasonsEn, List<String> reasonsJa) {
        public boolean allowed() {
            return decision.equals("allow");
        }

        private static Answer alone(String decision, String row, long at, String en, String ja) {
            return new Answer(decision, row, "", "", "", "", at, 0, false, false, true, List.of(en), List.of(ja));
        }
    }

    /* ---- bytes */

    private static final class Writer {
        private final ByteArrayOutputStream to = new ByteArrayOutputStream();

        Writer put(byte[] bytes) {
            to.writeBytes(bytes);
            return this;
        }

        Writer number(long n, int width) {
            for (int i = 0; i < width; i++)
                to.write((int) (n >>> (8 * i)));
            return this;
        }

        Writer block(byte[] bytes) {
            return number(bytes.length, 4).put(bytes);
        }

        byte[] bytes() {
            return to.toByteArray();
        }
    }

    private static final class Reader {
        private final ByteBuffer data;

        Reader(byte[] bytes) {
            data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        void need(int count) throws IOException {
            if (count < 0 || count > data.remaining())
                throw new IOException("the answer ends too early");
        }

        int oneByte() throws IOException {
            need(1);
            return data.get() & 0xff;
        }

        long eight() throws IOException {
            need(8);
            return data.getLong();
        }

        byte[] block() throws IOException {
            need(4);
            int count = data.getInt();
            need(count);
            byte[] bytes = new byte[count];
            data.get(bytes);
            return bytes;
        }

        String text() throws IOException {
            return new String(block(), StandardCharsets.UTF_8);
        }

        boolean done() {
            return !data.hasRemaining();
        }
    }

    private static Answer readAnswer(byte[] bytes) throws IOException {
        var reader = new Reader(bytes);
        int kind = reader.oneByte();
        boolean shadow = reader.oneByte() != 0;
        long at = reader.eight(), expiry = reader.eight();
        if (kind > 2 && kind != 255)
            throw new IOException("an unknown decision");
        String id = reader.text(), row = reader.text(), incident = reader.text(), version = reader.text(), token = reader.text();
        var en = new ArrayList<String>();
        var ja = new ArrayList<String>();
        for (int n = reader.oneByte(); n > 0; n--) {
            en.add(reader.text());
            ja.add(reader.text());
        }
        if (!reader.done())
            throw new IOException("an answer is longer than it says");
        return new Answer(kind == 255 ? "hold" : DECISIONS.get(kind), row, id, incident, version, token, at, expiry, shadow, kind == 255, false,
                          List.copyOf(en), List.copyOf(ja));
    }

    /* ---- the fail table */

    private record Row(String action, String asset, BigDecimal most, String line) {
    }

    /** Null when it is no plain decimal of 1 to 38 digits. */
    private static BigDecimal plain(String text) {
        int digits = text.replace(".", "").length();
        if (!text.matches("[0-9]*\\.?[0-9]*") || digits < 1 || digits > 38)
            return null;
        return new BigDecimal(text.startsWith(".") ? "0" + text : text.endsWith(".") ? text + "0" : text);
    }

    private static List<Row> readTable(String text) {
        var rows = new ArrayList<Row>();
        String[] lines = text == null ? new String[0] : text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String[] words = lines[i].strip().split("\\s+");
            if (words[0].isEmpty() || words[0].startsWith("#"))
                continue;
            BigDecimal most = words.length == 3 ? plain(words[2]) : null;
            if (most == null)
                throw new IllegalArgumentException("line " + (i + 1) + " of the fail table is not: action asset at-most");
            rows.add(new Row(words[0], words[1], most, words[0] + " " + words[1] + " at most " + words[2]));
        }
        return rows;
    }

    private final Path path, spool;
    private final long timeoutMs;
    private final List<Row> rows;
    private SocketChannel channel;
    private Selector selector;

    /** Only reads the fail table; IllegalArgumentException names its wrong line. spool null: none. */
    public HinomiGate(Path path, long timeoutMs, String failTable, Path spool) {
        this.path = path;
        this.timeoutMs = timeoutMs;
        this.spool = spool;
        this.rows = readTable(failTable);
    }

    /** Ends the connection; the next question opens another. */
    @Override
    public void close() {
        try {
            if (selector != null)
                selector.close();
            if (channel != null)
                channel.close();
        } catch (IOException ignored) {
            /* it is gone either way */
        }
        channel = null;
        selector = null;
    }

    /* ---- asking */

    public Answer decide(Request request) {
        return decideMany(List.of(request)).get(0);
    }

    /** Up to 64 at once: durable together, and much cheaper. */
    public List<Answer> decideMany(List<Request> requests) {
        try {
            return askMany(requests);
        } catch (IOException nobody) {
            close();
            var answers = new ArrayList<Answer>();
            for (Request request : requests)
                answers.add(alone(request));
            return answers;
        }
    }

    private List<Answer> askMany(List<Request> requests) throws IOException {
        if (requests.isEmpty() || requests.size() > ASK_MAX)
            throw new IOException("a frame has 1 to 64 requests");
        var body = new Writer();
        for (Request request : requests)
            body.block(request.canonical());
        if (channel == null) {
            connect();
            report();
        }
        var reader = new Reader(ask(ASK, ANSWER, requests.size(), body.bytes()));
        var answers = new ArrayList<Answer>();
        for (int i = 0; i < requests.size(); i++)
            answers.add(readAnswer(reader.block()));
        if (!reader.done())
            throw new IOException("more came than was asked");
        return answers;
    }

    /** For whoever signs, just before signing. An exception: nobody answers, then do not sign. */
    public boolean check(String token, Request request) throws IOException {
        try {
            byte[] got = ask(CHECK, CHECKED, 1, new Writer().block(request.canonical()).block(token.getBytes(StandardCharsets.UTF_8)).bytes());
            return got.length > 0 && got[0] == 1;
        } catch (IOException nobody) {
            close();
            throw nobody;
        }
    }

    /* ---- the socket */

    private void connect() throws IOException {
        close();
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(path));
        channel.configureBlocking(false);
        selector = Selector.open();
        channel.register(selector, 0);
    }

    private void await(int what, long until) throws IOException {
        long left = until - System.nanoTime();
        if (left <= 0)
            throw new IOException("no answer in time");
        channel.keyFor(selector).interestOps(what);
        selector.select(Math.max(1, left / 1_000_000));
        selector.selectedKeys().clear();
    }

    private void send(ByteBuffer bytes, long until) throws IOException {
        while (bytes.hasRemaining())
            if (channel.write(bytes) == 0)
                await(SelectionKey.OP_WRITE, until);
    }

    private ByteBuffer receive(int count, long until) throws IOException {
        var bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            int got = channel.read(bytes);
            if (got < 0)
                throw new IOException("the connection ended");
            if (got == 0)
                await(SelectionKey.OP_READ, until);
        }
        return bytes.flip();
    }

    private byte[] once(byte[] frame, int kind, int count, long until) throws IOException {
        send(ByteBuffer.wrap(frame), until);
        ByteBuffer head = receive(12, until);
        int magic = head.getInt(), got = head.get() & 0xff;
        head.get();
        int told = head.getShort() & 0xffff, length = head.getInt();
        if (magic != 0x31534748 || got != kind || told != count || length < 0 || length > 16 * BODY_MAX)
            throw new IOException("what came is no answer to this");
        return receive(length, until).array();
    }

    /** A connection that the other side closed meanwhile is opened anew once: what is asked twice is answered once. */
    private byte[] ask(int kind, int answer, int count, byte[] body) throws IOException {
        long until = System.nanoTime() + timeoutMs * 1_000_000;
        if (body.length > BODY_MAX)
            throw new IOException("the frame is too long");
        byte[] frame = new Writer().number(0x31534748, 4).number(kind, 2).number(count, 2).block(body).bytes();
        if (channel != null) {
            try {
                return once(frame, answer, count, until);
            } catch (IOException gone) {
                close();
            }
        }
        connect();
        return once(frame, answer, count, until);
    }

    /* ---- alone */

    private Answer alone(Request request) {
        Instant now = Instant.now();
        long at = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        Row row = rows.stream().filter(r -> (r.action.equals("*") || r.action.equals(request.action)) && (r.asset.equals("*") || r.asset.equals(request.asset)))
                      .findFirst().orElse(null);
        BigDecimal amount = plain(request.amount);
        boolean passes = row != null && !request.requestId.isEmpty() && amount != null && amount.compareTo(row.most) <= 0;
        Answer answer = passes ? Answer.alone("allow", row.line, at, "The gate does not answer; the table of the caller lets this amount pass.",
                                              "ゲートが応答しないため、呼び出し側の表によりこの金額は通過します。")
                               : Answer.alone("hold", row == null ? "nothing fits" : row.line, at, "The gate does not answer; the table of the caller holds this.",
                                              "ゲートが応答しないため、呼び出し側の表により保留します。");
        if (keep(request, answer) || !passes)
            return answer;
        return Answer.alone("hold", "no spool", at, "The gate does not answer, and what is let pass alone cannot be written down.",
                            "ゲートが応答せず、単独での判断を記録できないため保留します。");
    }

    /** A report as it goes onto the socket, with its length in front. */
    private boolean keep(Request request, Answer answer) {
        if (spool == null)
            return false;
        byte[] one = new Writer().block(request.canonical()).number(DECISIONS.indexOf(answer.decision), 1).number(answer.at, 8)
                                 .block(answer.row.getBytes(StandardCharsets.UTF_8)).bytes();
        ByteBuffer data = ByteBuffer.wrap(new Writer().block(one).bytes());
        var options = Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (FileChannel file = FileChannel.open(spool, options, owner)) {
            long end = file.size();
            try {
                file.position(end);
                while (data.hasRemaining())
                    file.write(data);
                file.force(false);
                return true;
            } catch (IOException full) {
                file.truncate(end);
                return false;
            }
        } catch (IOException no) {
            return false;
        }
    }

    /** Tells what was decided alone; how many are still to be told. The gate keeps a report once, however often it is told. */
    public int report() {
        if (spool == null || !Files.exists(spool))
            return 0;
        var reports = new ArrayList<byte[]>();
        try {
            var reader = new Reader(Files.readAllBytes(spool));
            while (!reader.done())
                reports.add(reader.block());
        } catch (IOException torn) {
            /* at the end: never returned to anybody */
        }
        int told = 0;
        try {
            while (told < reports.size()) {
                List<byte[]> some = reports.subList(told, Math.min(told + ASK_MAX, reports.size()));
                var body = new Writer();
                some.forEach(body::put);
                ask(REPORT, REPORTED, some.size(), body.bytes());
                told += some.size();
            }
            Files.delete(spool);
        } catch (IOException nobody) {
            close();
        }
        return reports.size() - told;
    }
}

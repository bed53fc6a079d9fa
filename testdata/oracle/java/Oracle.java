import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeSet;

/** Answers the cases of README.md: java Oracle FOLDER, the folder being testdata/oracle. */
public final class Oracle {
    private Oracle() {}

    interface Answer {
        void to(JsonNode c, ObjectNode result) throws Exception;
    }

    public static void main(String[] args) throws IOException {
        if (!TimeZone.getDefault().getID().equals("UTC")) {
            throw new IllegalStateException("run it with -Duser.timezone=UTC: some results depend on the zone");
        }
        Path root = Path.of(args[0]);
        int n = answerAll(root.resolve("cases"), root.resolve("golden"), ConnectCases::answer);
        Path avro = root.resolve("avro");
        n += answerAll(avro.resolve("cases"), avro.resolve("golden"), AvroCases::answer);
        AvroFiles.write(avro);
        System.out.println(n + " cases answered");
    }

    private static int answerAll(Path cases, Path golden, Answer answer) throws IOException {
        Files.createDirectories(golden);
        Set<Path> files = new TreeSet<>();
        try (DirectoryStream<Path> dir = Files.newDirectoryStream(cases, "*.jsonl")) {
            dir.forEach(files::add);
        }
        Set<String> made = new HashSet<>();
        int n = 0;
        for (Path file : files) {
            List<String> out = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                JsonNode c = Notation.JSON.readTree(line);
                ObjectNode result = Notation.JSON.createObjectNode().put("name", c.get("name").asText());
                try {
                    answer.to(c, result);
                } catch (Exception e) {
                    throw new IllegalStateException(file.getFileName() + ": " + c.get("name"), e);
                }
                out.add(Notation.line(result));
                n++;
            }
            made.add(file.getFileName().toString());
            Files.writeString(golden.resolve(file.getFileName()), String.join("\n", out) + "\n", StandardCharsets.UTF_8);
        }
        try (DirectoryStream<Path> dir = Files.newDirectoryStream(golden, "*.jsonl")) {
            for (Path old : dir) {
                if (!made.contains(old.getFileName().toString())) {
                    Files.delete(old);
                }
            }
        }
        return n;
    }

    /** Writes a failure. */
    static void failure(ObjectNode result, String stage, Throwable t) {
        ObjectNode e = result.putObject("error").put("stage", stage).put("class", t.getClass().getName());
        if (t.getMessage() != null) {
            e.put("message", Notation.stable(t.getMessage()));
        }
        Throwable cause = t.getCause();
        if (cause != null && cause != t) {
            e.put("cause", cause.getClass().getName());
        }
    }
}

// A runtime of Java's HttpURLConnection, which keeps its connections itself.
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

public class Bootstrap {
    static final String FAULT = "{\"errorMessage\":\"refused\",\"errorType\":\"Sample.Refused\",\"stackTrace\":[\"bootstrap\"]}";
    static final String API = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/";

    static HttpURLConnection open(String path) throws IOException {
        return (HttpURLConnection) new URL(API + path).openConnection();
    }

    static void post(String path, String body, boolean failed) throws IOException {
        HttpURLConnection to = open(path);
        to.setDoOutput(true);
        to.setRequestMethod("POST");
        if (failed) {
            to.setRequestProperty("Lambda-Runtime-Function-Error-Type", "Sample.Refused");
        }
        to.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        if (to.getResponseCode() != 202) {
            throw new IOException(path + ": " + to.getResponseCode());
        }
        to.getInputStream().readAllBytes();
    }

    public static void main(String[] args) throws IOException {
        if (System.getenv("BROKEN") != null) {
            post("init/error", FAULT, true);
            System.exit(1);
        }
        for (int count = 1;; count++) {
            HttpURLConnection next = open("invocation/next");
            String event = new String(next.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String id = next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
            System.out.println("line of " + id);
            if (event.contains("fail")) {
                post("invocation/" + id + "/error", FAULT, true);
            } else {
                post("invocation/" + id + "/response", "{\"event\":" + event + ",\"count\":" + count + ",\"id\":\"" + id + "\",\"arn\":\""
                    + next.getHeaderField("Lambda-Runtime-Invoked-Function-Arn") + "\",\"deadline\":"
                    + next.getHeaderField("Lambda-Runtime-Deadline-Ms") + "}", false);
            }
        }
    }
}

package example;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.ResponseEntity;
import org.springframework.web.client.RestClient;

/**
 * A Spring Boot application that gets a URL three times over one connection, and then asks its own actuator for the connections. Started
 * with options alone, such as --backend=http://127.0.0.1:8080/, it serves until it is stopped.
 */
@SpringBootApplication
public class Get {
    private static final String METRIC = "/actuator/metrics/httpcomponents.httpclient.pool.total.connections?tag=state:available";

    public static void main(String[] args) throws IOException {
        SpringApplicationBuilder builder = new SpringApplicationBuilder(Get.class);
        if (args.length == 0 || args[0].startsWith("--")) {
            builder.run(args);
            return;
        }
        try (ConfigurableApplicationContext application = builder.properties("server.port=0").run(args)) {
            RestClient client = application.getBean(RestClient.Builder.class).build();
            for (int i = 0; i < 3; i++) {
                ResponseEntity<byte[]> response = client.get().uri(args[0]).retrieve().toEntity(byte[].class);
                System.out.println(response.getStatusCode() + ", " + response.getBody().length + " bytes");
            }
            // As somebody from outside does.
            URL actuator = new URL("http://127.0.0.1:" + application.getEnvironment().getProperty("local.server.port") + METRIC);
            try (InputStream answer = actuator.openStream()) {
                System.out.println(new String(answer.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
    }
}

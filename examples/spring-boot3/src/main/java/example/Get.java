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

/** A Spring Boot application that gets a URL three times over one connection, and then asks its own actuator for the connections. */
@SpringBootApplication
public class Get {
    private static final String METRIC = "/actuator/metrics/httpcomponents.httpclient.pool.total.connections?tag=state:available";

    public static void main(String[] args) throws IOException {
        SpringApplicationBuilder builder = new SpringApplicationBuilder(Get.class)
                .properties("server.port=0", "management.endpoints.web.exposure.include=metrics");
        try (ConfigurableApplicationContext application = builder.run(args)) {
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

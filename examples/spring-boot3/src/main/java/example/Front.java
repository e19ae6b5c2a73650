package example;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** What the application answers: what its backend does, over a connection of the manager's. */
@RestController
class Front {
    private final RestClient client;
    private final String backend;

    Front(RestClient.Builder builder, @Value("${backend:http://127.0.0.1:8080/}") String backend) {
        client = builder.build();
        this.backend = backend;
    }

    @GetMapping("/")
    byte[] get() {
        return client.get().uri(backend).retrieve().body(byte[].class);
    }
}

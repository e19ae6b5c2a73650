package example;

import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.http.ResponseEntity;
import org.springframework.web.client.RestTemplate;

/** Gets a URL three times over one connection. */
public final class Get {
    public static void main(String[] args) {
        try (AnnotationConfigApplicationContext application = new AnnotationConfigApplicationContext(Http.class)) {
            RestTemplate template = application.getBean(RestTemplateBuilder.class).build();
            for (int i = 0; i < 3; i++) {
                ResponseEntity<byte[]> response = template.getForEntity(args[0], byte[].class);
                System.out.println(response.getStatusCode() + ", " + response.getBody().length + " bytes");
            }
        }
    }
}

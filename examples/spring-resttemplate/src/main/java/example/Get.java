package example;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.client.RestTemplateCustomizer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.web.client.RestTemplate;

/** A Spring Boot application that gets a URL three times over one connection, and serves nothing itself. */
@SpringBootApplication
public class Get {
    public static void main(String[] args) {
        SpringApplicationBuilder builder = new SpringApplicationBuilder(Get.class).web(WebApplicationType.NONE);
        try (ConfigurableApplicationContext application = builder.run(args)) {
            RestTemplate template = application.getBean(RestTemplateBuilder.class).build();
            for (int i = 0; i < 3; i++) {
                template.getForObject(args[0], byte[].class);
            }
        }
    }

    /** The application's own customizers are applied as by Boot's builder: this one prints each response. */
    @Bean
    RestTemplateCustomizer printing() {
        return template -> template.getInterceptors().add((request, body, execution) -> {
            ClientHttpResponse response = execution.execute(request, body);
            System.out.println(response.getStatusCode() + ", " + response.getHeaders().getContentLength() + " bytes");
            return response;
        });
    }
}

import com.google.gson.JsonObject;
import com.wechat.pay.java.core.Config;
import com.wechat.pay.java.core.RSAAutoCertificateConfig;
import com.wechat.pay.java.core.RSAPublicKeyConfig;
import com.wechat.pay.java.core.http.DefaultHttpClientBuilder;
import com.wechat.pay.java.core.http.FileRequestBody;
import com.wechat.pay.java.core.http.HttpHeaders;
import com.wechat.pay.java.core.http.HttpMethod;
import com.wechat.pay.java.core.http.HttpRequest;
import com.wechat.pay.java.core.http.JsonRequestBody;
import com.wechat.pay.java.core.notification.NotificationConfig;
import com.wechat.pay.java.core.notification.NotificationParser;
import com.wechat.pay.java.core.notification.RequestParam;
import com.wechat.pay.java.core.util.PemUtil;
import com.wechat.pay.java.service.certificate.CertificateService;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.HexFormat;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import com.google.gson.Gson;

/** wechatpay-java on the sandbox. It has no service for complaints; its client calls any path. One line of JSON for each operation. */
public class WechatpayJava {
  static final Map<String, String> env = System.getenv();
  static final String REAL = "https://api.mch.weixin.qq.com";
  static final Gson gson = new Gson();
  static com.wechat.pay.java.core.http.HttpClient client;

  interface Work { String run() throws Exception; }

  static String go(String operation, Work work) {
    JsonObject done = new JsonObject();
    done.addProperty("operation", operation);
    String value = "";
    try {
      value = work.run();
      done.addProperty("value", value);
    } catch (Throwable e) {
      done.addProperty("failed", e.toString());
    }
    System.out.println(done);
    return value;
  }

  static JsonObject send(HttpMethod method, String path, JsonObject body) {
    HttpRequest.Builder request = new HttpRequest.Builder().httpMethod(method).url(REAL + path)
        .addHeader("Accept", "application/json").addHeader("Content-Type", "application/json");
    if (body != null) request.body(new JsonRequestBody.Builder().body(gson.toJson(body)).build());
    return client.execute(request.build(), JsonObject.class).getServiceResponse();
  }

  static JsonObject object(String... members) {
    JsonObject o = new JsonObject();
    for (int i = 0; i < members.length; i += 2) o.addProperty(members[i], members[i + 1]);
    return o;
  }

  static String file(String name) throws Exception { return Files.readString(Path.of(env.get("FOLDER"), name)); }

  public static void main(String[] args) throws Exception {
    HttpUrl sandbox = HttpUrl.get(env.get("URL"));
    OkHttpClient redirected = new OkHttpClient.Builder().addInterceptor(chain -> {
      HttpUrl url = chain.request().url().newBuilder().scheme("http").host(sandbox.host()).port(sandbox.port()).build();
      return chain.proceed(chain.request().newBuilder().url(url).build());
    }).build();
    String key = Path.of(env.get("FOLDER"), "apiclient_key.pem").toString(), complaint = env.get("COMPLAINT"), path = "/v3/merchant-service/complaints-v2/";
    RSAAutoCertificateConfig automatic = new RSAAutoCertificateConfig.Builder().merchantId(env.get("MCHID")).merchantSerialNumber(env.get("SERIAL_NO"))
        .privateKeyFromPath(key).apiV3Key(file("apiv3_key")).httpClientBuilder(new DefaultHttpClientBuilder().okHttpClient(redirected)).build();
    Config config = automatic;
    if (env.get("KEYS").equals("public")) {
      config = new RSAPublicKeyConfig.Builder().merchantId(env.get("MCHID")).merchantSerialNumber(env.get("SERIAL_NO")).privateKeyFromPath(key)
          .apiV3Key(file("apiv3_key")).publicKeyFromPath(Path.of(env.get("FOLDER"), "pub_key.pem").toString()).publicKeyId(env.get("THEIR_SERIAL")).build();
    }
    client = new DefaultHttpClientBuilder().config(config).okHttpClient(redirected).build();
    Config c = config;

    go("read", () -> c.createDecryptor().decrypt(send(HttpMethod.GET, path + complaint, null).get("payer_phone").getAsString()));
    go("list", () -> {
      LocalDate day = LocalDate.now(ZoneId.of("Asia/Shanghai"));
      for (var found : send(HttpMethod.GET, "/v3/merchant-service/complaints-v2?limit=50&begin_date=" + day + "&end_date=" + day, null).getAsJsonArray("data")) {
        if (found.getAsJsonObject().get("complaint_id").getAsString().equals(complaint)) return complaint;
      }
      return "";
    });
    String media = go("upload", () -> {
      byte[] picture = Files.readAllBytes(Path.of(env.get("PICTURE")));
      String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(picture));
      FileRequestBody body = new FileRequestBody.Builder().meta(gson.toJson(object("filename", "picture.png", "sha256", sum))).fileName("picture.png").file(picture).build();
      HttpRequest request = new HttpRequest.Builder().httpMethod(HttpMethod.POST).url(REAL + "/v3/merchant-service/images/upload")
          .addHeader("Accept", "application/json").addHeader("Content-Type", "multipart/form-data").body(body).build();
      return client.execute(request, JsonObject.class).getServiceResponse().get("media_id").getAsString();
    });
    go("reply", () -> {
      JsonObject body = object("complainted_mchid", env.get("MCHID"), "response_content", env.get("REPLY"));
      body.add("response_images", gson.toJsonTree(new String[] {media}));
      send(HttpMethod.POST, path + complaint + "/response", body);
      return "";
    });
    go("history", () -> {
      var items = send(HttpMethod.GET, path + complaint + "/negotiation-historys?limit=300", null).getAsJsonArray("data");
      return items.get(items.size() - 1).getAsJsonObject().get("operate_details").getAsString();
    });
    go("complete", () -> {
      send(HttpMethod.POST, path + complaint + "-done/complete", object("complainted_mchid", env.get("MCHID")));
      return "";
    });
    go("echo", () -> {
      JsonObject answer = send(HttpMethod.POST, "/v3/security/echo", object("echo_message", "hello", "encrypted_echo_message", c.createEncryptor().encrypt(env.get("ECHO"))));
      return c.createDecryptor().decrypt(answer.get("encrypted_echo_message").getAsString());
    });
    go("notification", () -> {
      var http = java.net.http.HttpClient.newHttpClient();
      var uri = java.net.URI.create(env.get("URL") + "/sandbox/notification?merchant=" + env.get("MERCHANT") + "&complaint_id=" + complaint + "&serial=" + env.get("THEIR_SERIAL"));
      JsonObject n = gson.fromJson(http.send(java.net.http.HttpRequest.newBuilder(uri).build(), java.net.http.HttpResponse.BodyHandlers.ofString()).body(), JsonObject.class);
      JsonObject header = n.getAsJsonObject("header");
      RequestParam param = new RequestParam.Builder().serialNumber(one(header, "Wechatpay-Serial")).nonce(one(header, "Wechatpay-Nonce"))
          .signature(one(header, "Wechatpay-Signature")).timestamp(one(header, "Wechatpay-Timestamp")).body(n.get("body").getAsString()).build();
      return new NotificationParser((NotificationConfig) c).parse(param, JsonObject.class).get("complaint_id").getAsString();
    });
    go("certificates", () -> PemUtil.getSerialNumber(
        new CertificateService.Builder().httpClient(client).build().downloadCertificate(file("apiv3_key").getBytes(StandardCharsets.UTF_8)).get(0)));
    System.exit(0);
  }

  static String one(JsonObject header, String name) { return header.getAsJsonArray(name).get(0).getAsString(); }
}

import com.github.binarywang.wxpay.bean.complaint.ComplaintDetailRequest;
import com.github.binarywang.wxpay.bean.complaint.ComplaintRequest;
import com.github.binarywang.wxpay.bean.complaint.CompleteRequest;
import com.github.binarywang.wxpay.bean.complaint.NegotiationHistoryRequest;
import com.github.binarywang.wxpay.bean.complaint.ResponseRequest;
import com.github.binarywang.wxpay.bean.notify.SignatureHeader;
import com.github.binarywang.wxpay.config.WxPayConfig;
import com.github.binarywang.wxpay.service.ComplaintService;
import com.github.binarywang.wxpay.service.impl.WxPayServiceImpl;
import com.github.binarywang.wxpay.v3.util.RsaCryptoUtil;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;

/** WxJava on the sandbox, with its own service for complaints. One line of JSON for each operation. */
public class WxJava {
  static final Map<String, String> env = System.getenv();
  static final Gson gson = new Gson();

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

  static void cannot(String operation, String why) {
    JsonObject done = new JsonObject();
    done.addProperty("operation", operation);
    done.addProperty("cannot", why);
    System.out.println(done);
  }

  static WxPayServiceImpl service(boolean publicKey) throws Exception {
    URI sandbox = URI.create(env.get("URL"));
    WxPayConfig config = new WxPayConfig();
    config.setMchId(env.get("MCHID"));
    config.setCertSerialNo(env.get("SERIAL_NO"));
    config.setPrivateKeyPath(env.get("FOLDER") + "/apiclient_key.pem");
    config.setPrivateCertPath(env.get("FOLDER") + "/apiclient_cert.pem");
    config.setApiV3Key(Files.readString(Path.of(env.get("FOLDER"), "apiv3_key")));
    if (publicKey) {
      config.setPublicKeyPath(env.get("FOLDER") + "/pub_key.pem");
      config.setPublicKeyId(env.get("THEIR_SERIAL"));
      config.setFullPublicKeyModel(true);
    }
    config.setApiHostUrl("http://api.mch.weixin.qq.com"); // it signs for this host only; the sandbox is its proxy
    config.setHttpProxyHost(sandbox.getHost());
    config.setHttpProxyPort(sandbox.getPort());
    WxPayServiceImpl service = new WxPayServiceImpl();
    service.setConfig(config);
    return service;
  }

  static String one(JsonObject header, String name) { return header.getAsJsonArray(name).get(0).getAsString(); }

  public static void main(String[] args) throws Exception {
    boolean publicKey = env.get("KEYS").equals("public");
    WxPayServiceImpl service = service(publicKey);
    ComplaintService complaints = service.getComplaintsService();
    String complaint = env.get("COMPLAINT"), mchid = env.get("MCHID");

    go("read", () -> complaints.getComplaint(ComplaintDetailRequest.newBuilder().complaintId(complaint).build()).getPayerPhone());
    go("list", () -> {
      String day = LocalDate.now(ZoneId.of("Asia/Shanghai")).toString();
      ComplaintRequest request = ComplaintRequest.newBuilder().limit(50).offset(0).beginDate(day).endDate(day).complaintedMchid(mchid).build();
      return complaints.queryComplaints(request).getData().stream().map(c -> c.getComplaintId()).filter(complaint::equals).findFirst().orElse("");
    });
    String media = go("upload", () -> complaints.uploadResponseImage(new File(env.get("PICTURE"))).getMediaId());
    go("reply", () -> {
      complaints.submitResponse(ResponseRequest.newBuilder().complaintId(complaint).complaintedMchid(mchid).responseContent(env.get("REPLY")).responseImages(List.of(media)).build());
      return "";
    });
    go("history", () -> {
      var items = complaints.queryNegotiationHistorys(NegotiationHistoryRequest.newBuilder().complaintId(complaint).limit(50).offset(0).build()).getData();
      return items.get(items.size() - 1).getOperateDetails();
    });
    go("complete", () -> {
      complaints.complete(CompleteRequest.newBuilder().complaintId(complaint + "-done").complaintedMchid(mchid).build());
      return "";
    });
    if (publicKey) {
      cannot("echo", "encrypts under a certificate only");
    } else {
      go("echo", () -> {
        JsonObject body = new JsonObject();
        body.addProperty("echo_message", "hello");
        body.addProperty("encrypted_echo_message", RsaCryptoUtil.encryptOAEP(env.get("ECHO"), service.getConfig().getVerifier().getValidCertificate()));
        String answer = service.postV3WithWechatpaySerial(service.getPayBaseUrl() + "/v3/security/echo", gson.toJson(body));
        return RsaCryptoUtil.decryptOAEP(gson.fromJson(answer, JsonObject.class).get("encrypted_echo_message").getAsString(), service.getConfig().getPrivateKey());
      });
    }
    go("notification", () -> {
      URI uri = URI.create(env.get("URL") + "/sandbox/notification?merchant=" + env.get("MERCHANT") + "&complaint_id=" + complaint + "&serial=" + env.get("THEIR_SERIAL"));
      JsonObject n = gson.fromJson(HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()).body(), JsonObject.class);
      JsonObject header = n.getAsJsonObject("header");
      SignatureHeader signature = SignatureHeader.builder().serial(one(header, "Wechatpay-Serial")).nonce(one(header, "Wechatpay-Nonce"))
          .signature(one(header, "Wechatpay-Signature")).timeStamp(one(header, "Wechatpay-Timestamp")).build();
      return service.parseComplaintNotifyResult(n.get("body").getAsString(), signature).getResult().getComplaintId();
    });
    go("certificates", () -> {
      WxPayServiceImpl automatic = service(false);
      return automatic.getConfig().getVerifier().getValidCertificate().getSerialNumber().toString(16).toUpperCase();
    });
    System.exit(0);
  }
}

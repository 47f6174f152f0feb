// The words that the mix draws from. All invented; names under .example and addresses from anywhere.
#pragma once

#include <string_view>

namespace yushi::flood {

inline constexpr std::string_view kUnitNames[] = {
    "finance", "health", "edu",     "tax",    "customs", "transport", "water",  "police", "land",   "culture",
    "labour",  "audit",  "justice", "energy", "housing", "archive",   "census", "trade",  "forest", "science"};
inline constexpr std::string_view kRoleNames[] = {"web", "app", "db", "fw", "k8s", "bastion"};

inline constexpr std::string_view kGivenNames[] = {
    "li.wei",   "wang.fang", "zhang.min", "liu.yang", "chen.jie", "yang.lei", "zhao.jun", "huang.yan",
    "zhou.tao", "wu.hao",    "xu.ling",   "sun.bo",   "ma.chao",  "zhu.qing", "hu.ping",  "guo.rui",
    "he.xin",   "lin.feng",  "luo.hui",   "gao.jing", "maria",    "tomas",    "irina",    "jonas",
    "amelia",   "dmitri",    "sofia",     "lukas",    "nina",     "pavel",    "helena",   "oskar"};
inline constexpr std::string_view kServiceUsers[] = {"root",   "deploy", "backup", "ansible", "postgres", "jenkins",
                                                     "oracle", "ubuntu", "admin",  "git",     "zabbix",   "www-data"};
inline constexpr std::string_view kGuessedUsers[] = {
    "admin", "test",   "oracle", "guest", "user", "pi",      "ftpuser",   "mysql", "ubnt",  "info",
    "www",   "nagios", "hadoop", "web",   "demo", "support", "minecraft", "dev",   "steam", "postgres"};

inline constexpr std::string_view kFolders[] = {"api/v1", "api/v2", "portal", "static/js", "static/css", "static/img",
                                                "docs",   "news",   "forms",  "service",   "download",   "upload",
                                                "search", "user",   "admin",  "notice",    "media",      "assets"};
inline constexpr std::string_view kNouns[] = {
    "orders", "invoice", "account", "profile", "session",  "report", "permit",  "licence", "appeal",   "ticket",
    "status", "payment", "index",   "list",    "detail",   "query",  "summary", "contact", "calendar", "map",
    "budget", "tender",  "vacancy", "form",    "feedback", "region", "school",  "clinic",  "vehicle",  "parcel"};
inline constexpr std::string_view kExtensions[] = {".js", ".css", ".png", ".jpg", ".svg", ".woff2", ".pdf", ".html"};
inline constexpr std::string_view kScannedPaths[] = {"/wp-login.php",
                                                     "/.env",
                                                     "/phpmyadmin/index.php",
                                                     "/.git/config",
                                                     "/manager/html",
                                                     "/cgi-bin/luci",
                                                     "/admin/config.php",
                                                     "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
                                                     "/actuator/env",
                                                     "/backup.zip",
                                                     "/fckeditor/editor/filemanager/connectors/test.html",
                                                     "/index.php?id=1%27%20OR%20%271%27=%271",
                                                     "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
                                                     "/solr/admin/info/system",
                                                     "/../../../../etc/passwd"};

inline constexpr std::string_view kAgentForms[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%.0.%.% Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.% "
    "Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%.0) Gecko/20100101 Firefox/%.0",
    "Mozilla/5.0 (Linux; Android 13; SM-A%B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_% like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E%",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%.0.%.% Safari/537.36",
    "curl/7.%.0",
    "python-requests/2.%.1",
    "okhttp/4.%.0",
    "kube-probe/1.%",
    "Go-http-client/1.1"};

inline constexpr std::string_view kCommands[] = {"/usr/bin/systemctl restart nginx",
                                                 "/usr/bin/apt-get update",
                                                 "/usr/bin/tail -n 200 /var/log/syslog",
                                                 "/usr/bin/journalctl -u yushid -n 50",
                                                 "/bin/cat /etc/hosts",
                                                 "/usr/sbin/iptables -L -n -v",
                                                 "/usr/bin/docker ps -a",
                                                 "/usr/bin/rsync -a /srv/data/ backup:/srv/data/",
                                                 "/usr/bin/vi /etc/nginx/nginx.conf",
                                                 "/usr/bin/crontab -l",
                                                 "/usr/bin/du -sh /var/lib/mysql",
                                                 "/usr/sbin/tcpdump -i eth0 -c 100",
                                                 "/usr/bin/mysqldump --all-databases",
                                                 "/usr/bin/passwd -S",
                                                 "/bin/ls -la /root",
                                                 "/usr/bin/kubectl get pods"};
inline constexpr std::string_view kExecutables[] = {
    "ls",    "cat", "grep", "bash", "sshd", "cron", "python3", "awk",  "curl",  "date",    "ps",   "sed",
    "rsync", "tar", "find", "id",   "sudo", "df",   "wc",      "sort", "chmod", "systemd", "java", "sh"};
inline constexpr std::string_view kAuditKeys[] = {"exec", "identity", "time-change", "privileged", "access", "delete"};
inline constexpr std::string_view kCronJobs[] = {"/usr/lib/php/sessionclean",
                                                 "cd / && run-parts --report /etc/cron.hourly",
                                                 "/opt/scripts/backup.sh --quiet",
                                                 "/usr/bin/certbot -q renew",
                                                 "/usr/local/bin/collect-metrics",
                                                 "command -v debian-sa1 > /dev/null && debian-sa1 1 1",
                                                 "/opt/yushi/rotate",
                                                 "/usr/bin/php /srv/www/cron.php"};

inline constexpr std::string_view kPackages[] = {"gov.portal", "gov.pay", "gov.registry", "gov.mail", "gov.search"};
inline constexpr std::string_view kClasses[] = {"OrderService",  "PaymentGateway", "SessionFilter",  "UserRepository",
                                                "HttpClient",    "CacheLoader",    "TokenValidator", "ReportJob",
                                                "QueueConsumer", "HealthCheck",    "MailSender",     "IndexWriter"};
inline constexpr std::string_view kServices[] = {"checkout", "gateway", "catalog", "identity", "ledger", "notifier",
                                                 "ingress",  "search",  "billing", "audit",    "media",  "scheduler"};
inline constexpr std::string_view kNamespaces[] = {"portal", "payments", "kube-system", "monitoring", "registry"};
inline constexpr std::string_view kTables[] = {"orders",  "users",     "payments", "sessions",
                                               "permits", "audit_log", "parcels",  "invoices"};

}  // namespace yushi::flood

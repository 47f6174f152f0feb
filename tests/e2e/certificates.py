"""A CA and certificates of its own for each test, made by the openssl command."""

import pathlib
import subprocess


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cert, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", "/CN=test CA", "-keyout", self.key, "-out", self.cert)
        (self.folder / "index.txt").write_text("")
        (self.folder / "number").write_text("1000\n")
        self.config = self.folder / "ca.cnf"
        self.config.write_text(f"[ca]\ndefault_ca = it\n[it]\ndatabase = {self.folder}/index.txt\ncrlnumber = {self.folder}/number\n"
                               f"default_md = sha256\ncertificate = {self.cert}\nprivate_key = {self.key}\n")

    def _openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=self.folder)

    def issue(self, name, days=30, host="localhost"):
        """Certificate and key; the files of the same `name` are replaced."""
        cert, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        extension = self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", key, "-out", request)
        made = self.folder / f"{name}.new"
        self._openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                      "-extfile", extension, "-out", made)
        made.rename(cert)
        return cert, key

    def revoke(self, *certificates):
        """The list of what is revoked, these too."""
        for cert in certificates:
            self._openssl("ca", "-config", self.config, "-revoke", cert)
        crl = self.folder / "crl.pem"
        self._openssl("ca", "-config", self.config, "-gencrl", "-crldays", "30", "-out", crl)
        return crl

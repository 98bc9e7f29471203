"""Tables of a VOS3000 system as its mysqldump and its CSV exports have them."""

import io
import tarfile

DEFAULTS = {"e_feerategroup": dict(id=1, name="gold", memo=None),
            "e_customer": dict(id=1, account="1001", name="Acme", type=0, limitmoney=0.0, feerategroup_id=1, locktype=0,
                               validtime=0, memo=None, money=0.0),
            "e_feerate": dict(id=1, feeprefix="880", fee=0.0123, period=60, areacode="Bangladesh", locktype=0,
                              feerategroup_id=1),
            "e_gatewaymapping": dict(id=1, name="acme-in", customer_id=1, registertype=0, remoteips="127.0.0.2",
                                     password="", locktype=0, capacity=30, memo=None),
            "e_gatewaymappingsetting": dict(maxcallrate=20, rewriterulesoutcallee="", rewriterulesoutcaller="",
                                            sipauthenticationuser="", gatewaymapping_id=1),
            "e_gatewayrouting": dict(id=1, name="carrier-a", protocol=1, clearingcustomer_id=2, signalport=5060,
                                     remoteips="127.0.0.3", prefix="880", priority=1, capacity=30, locktype=0, memo=None),
            "e_gatewayroutingsetting": dict(maxcallrate=0, rewriterulesincallee="", rewriterulesincaller="",
                                            stopswitchsipcodes="486;603", gatewayrouting_id=1),
            "e_phone": dict(id=1, e164="3001", customer_id=1, password="a pass word 1", displaynum=None, locktype=0,
                            linecallout=2, linecallin=1, memo=None),
            "e_cdr_20261001": dict(flowno=1, customeraccount="1001", calleee164="88017", starttime=1790000000000,
                                   holdtime=60, feetime=60, fee=0.0123, tax=0.0, suitefeetime=0)}


def row(table, **fields):
    return table, {**DEFAULTS[table], **fields}


def value(v):
    if v is None:
        return "NULL"
    if isinstance(v, str):
        return "'" + v.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    return str(v)


def grouped(rows):
    tables = {}
    for table, fields in rows:
        tables.setdefault(table, []).append(fields)
    return tables


def dump(rows):
    """As mysqldump writes it, with a table that nobody asks for."""
    out = ["-- MySQL dump 10.13  Distrib 5.7", "/*!40101 SET NAMES utf8 */;", "",
           "CREATE TABLE `e_alarm` (\n  `id` int NOT NULL,\n  `text` varchar(255) DEFAULT ';',\n  PRIMARY KEY (`id`)\n);",
           "INSERT INTO `e_alarm` VALUES (1,'it\\'s; on (fire)'),(2,'INSERT INTO `e_customer` VALUES (9)');"]
    for table, all_rows in grouped(rows).items():
        columns = list(all_rows[0])
        out += [f"DROP TABLE IF EXISTS `{table}`;", f"CREATE TABLE `{table}` ("]
        out += [f"  `{c}` varchar(255) COLLATE utf8_bin DEFAULT NULL," for c in columns]
        out += [f"  PRIMARY KEY (`{columns[0]}`),", f"  KEY `k` (`{columns[-1]}`)", ") ENGINE=MyISAM DEFAULT CHARSET=utf8;",
                f"LOCK TABLES `{table}` WRITE;"]
        out += ["INSERT INTO `{}` VALUES {};".format(
            table, ",".join("(" + ",".join(value(r[c]) for c in columns) + ")" for r in all_rows)), "UNLOCK TABLES;", ""]
    return "\n".join(out).encode()


def csv(rows):
    columns = list(rows[0])
    quoted = ([("" if r[c] is None else '"{}"'.format(str(r[c]).replace('"', '""'))) for c in columns] for r in rows)
    return "\n".join([",".join(columns), *map(",".join, quoted)]).encode() + b"\n"


def archive(rows):
    """A tar of CSV files, a table each."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for table, all_rows in grouped(rows).items():
            data = csv(all_rows)
            info = tarfile.TarInfo(f"exports/{table}.csv")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()

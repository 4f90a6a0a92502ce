WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<400000) SELECT count(DISTINCT printf('%d', (x*7919)%100003)), sum(length(hex(x*x))) FROM c;

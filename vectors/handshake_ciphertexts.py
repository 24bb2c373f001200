"""ML-KEM-768 ciphertexts for the handshake vectors.

Encapsulation draws its own randomness, so its results are kept here; the generator decapsulates
them to learn the secrets.
"""

from base64 import b64decode

CIPHERTEXTS = {
    "rotating": b64decode(
        "XF+0PTySEHftLVXqlh6m1FBFSSqBj9m1Xi0oboj4a1P52LAnZtrnvpotLsGDs2p8UU6rkrSqF5G54ySf"
        "7Gg8mIOa/R6oYpqwyKH5b78V5KpXpbC6+IjUWQJsMfHmpU1H4/xvzEQLme4RW2zaKUdea7aLu7Bp5Ce0"
        "2lgXXww0uhMJg8KtioRkf0zeY8ZiRxTDHg8X8u64a8B3U6Y3yDdFfcc+iCDlyL4/j0WkFybVIm/eXecd"
        "qanv3Jh0knDgMvShYb7+WjDS/1JTZ/SD65d0zjTRA589pbQHJxLgpB8O2/wHEzh78m0GQSH0RmtIyuU6"
        "lr9bsVaUR7O/zvos5weqzB0ylbtibpqfU7ZUxwccny6VD2iLghCMs5wKfNjKc/Ms+BRrKnw/cspFf4JP"
        "+iS8j2Sd+d6sS9vhy/N+dj4+5r20+hpSFcjiZ14nUAaFbFSdAWY7fI3f1MNZl26hyqKFIrahjbw0IUTI"
        "spmZinOHB59KM2HfOwCIrarh0KlxI+ZQvNE39CkZvkHiOEyhuh8DblO56SpkMEYiMXHXHkGF1qGiSOA0"
        "kxCzyma03ai/oFrReEEGqtLn7r+v9qVzi6pjDvKYFY/bTkOXqffqgpk+0aquv+hz3w6gBkIjvOxDtyzC"
        "bU3ws+oshhQGSDah+UxuD4dqqNahCsRU6P0LezYaF7NcV8D9KwbCuzXq3UHvYZNV+Q3jLz7X5FsXo7xT"
        "f7qKGCIMoKb0eyT5IQplwJJivbP4KKJ+LWljCkI3cixxw5zpwAXhnR7of5YTADPe7U+P72jx16MooHD9"
        "VdVWUm4iIbCuURt4dTsxOcvvQuBJ26p+77Y6v+GkvO/sOFQbg1+R9Ot/7uYmUCwyZTyRwWt4IfRFvgQU"
        "JOK51FDCraxpukJ5Nc9DJDvWSDRqmBC/ZvL5TDsZH4xQ1AMcboa3/j9jopjCQsgGlheLbTEuWuOiGw2Z"
        "4ny5vPkepHI0i/7T5NT0PI0ksuesB1+0x0Nx/WG35Ko+Y1CFihRpdId+hZzN2XsjfhVufPot5MuIoUlZ"
        "jlGNZUJCZAWKzxsZXYomV9hDGs7OnSbFBXV+W/ICf7+YmfiGuc/lAo/AjwCDR1RnIwwJc5jEQt7O3zUh"
        "AK0QmCH7aOCrBY15ZxKbxwZk3ojrHSLyb/K/zGu0kgpkYhjJRT6BdBXAXNp2Xysony6tnNXXrY5xSfQN"
        "h/P8xrtq5X2E7jonS/tGU3cymgpZDhv2A7xUcWciWhfsB53+vd3IpfoEEX2mEugWmIr96HH+2aWROOxZ"
        "pR8fBLHV8C2RBPPysRvYA2Md+t4DlAhAOGX2D8+zc1ls38NFWuV8cF4HddwM6GF2LykpMRKJtfDo7dAB"
        "QrwV1dDesyJG9SWiYjePVb/cZ+D6m79OkasIe8C4YQ7P84VFwJLsSsm77noELTl138IPt9P1PnEpsejf"
        "ewuOssnvkwg="
    ),
    "one-time": b64decode(
        "dchFiH0oegJomb+0s/IiCCgiu+r2rhlT2TxX7iRXAJlSutd1Xkt/JS7YylkkN7lGXk4lX+/mSpytJIA7"
        "yQTOmuv/SuVSsgTplNVx/IG9FVh1vNtWyKC1w99hSJHZtOzKw+EjZtbhdPApKSsJnPnNSyqBkKc1yFtH"
        "e72txrmR7A1aW8BUJ+e/6VlXzBdwzrUOfDSfeCmn2OuG5cSQztNgtFCHkuCjNrganrj6N3UC4WZvZ2pa"
        "8W2cluhf7SGJ4reK2ZEGq29SGqkr1ootNshzpgruVWU10ayriAW2Ua4yKKkEshcA3UvvDu2qAWjNZTeB"
        "OTVvr+1UPqzGahp1GEBNKIFMnHCSdHktbZcjMg4lzWwwImG60TSz7398B/+B9mhoT2+EmOHKRg58cK3X"
        "7r3iERzj3NdbUShUCJOpBjTueW3nZIctUepN0YQtuViKt+m2hCMRdEQFpcbQe5XIIyy99lDd/SSJocgC"
        "ZviqIvHk4942NW2DaYeMUqRLR27wCbv2SQRJtWOVIoiDdnxYlPSnDlb/WOS1HChJNuVDIJIcjr0XVhE7"
        "gcCMjgiucwqbjdsS78IG10dE30y4eqWPW41iHKVgU8Dz/UB/0xliM5jCL6kIM+y2JZ37vp6+y27LjuL5"
        "GU9PQF3yezgsqc7NHI77FEs52nWXTjpIc1sUTmT5g4udVhEmOMpFsoR85r1hyKhsFtz5zlOhZkvYw/6/"
        "dquLxHm0/ZxDKzOHQWKKQwZ3so/4dSR8YLvRwPUOX/XPpoM4RmrpBitAMvEGRTj5zA95fhB3oejWzqJZ"
        "eBBZfUQ+56RHL9Pw7B8Q9DA6zcbtzjaspZ7XBaTred1MCZH+hq5L3lQBgg96EmejsMgJ0lsPCoHSZ/1a"
        "zKvDib+zK8H6vymeyiY3yNkVbDc9la9Xw9WqYxsxxYv7i2MZPqIQkVd2DKQX6ERmsmRgtxgPgmqFQT23"
        "4GFXUZ3N4TJpOPaWB/vcJPBCfmnQp3HIY1AyeAJ3yLVZU2bFuut2Jj3m07c46v6iQA6iV46lkhUHTN4w"
        "9+I5cVPp1Yyf91R+ra4Vr+1ckR8vrI3j1Auze9ceON4Pq8pGOo/mX7fPu6zyQHBZ0CqN6kfa3/HSwXm3"
        "JcI6HN1/xNsyi1tOQwYK6L2XNZEp1w7p3FvWMJrKxmjlBGHHoTgeO6GEPdbhfy9VpUIMXXa1n49GuROR"
        "KqPvY/oqjZGV+K+rBuPbeZmmkg6HDcH4zV8SYV54mfTA8cHszXKSCYp0Q/gQuukr8ZiVN6KLIUhK9o5o"
        "UXx6wiFlxQPZciCfUvezfJyNQdcEBugfizTEwWrfOQtXSQnhoswayxoVfQQeSz/4hhmQTQ6lvZCUOD+9"
        "2H6LVk0Gd8THLhitImp3slbmqPGP/6FCD2aDm70lLa+/FmulviYbpg2ViK3omeF5YabsvmUG2YuqPLOE"
        "MQxkegAmej8="
    ),
}
